import type { Random } from '#libs/kernel';
import { TOPIC_KINDS, type TopicMapping, type Uplink } from '#libs/telemetry';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  double,
  float,
  int,
  payload as sparkplug,
} from '../../../devices/codecs/sparkplug-b/sparkplug.fixture.js';
import { DEVICES } from './ingest.fixture.js';

const CODECS = join(import.meta.dirname, '..', '..', '..', 'devices', 'codecs');
const HOUR = 3_600_000;

/** Which topics are mapped: one device a topic, gateways that speak for others, and parts of every kind. */
export const MAPPINGS: readonly TopicMapping[] = [
  { pattern: 'tele/{device}/{what}', codec: 'tasmota', utcOffsetMs: 7 * HOUR },
  { pattern: '{device}/sensor/{parameter}/state', codec: 'esphome' },
  { pattern: 'zigbee2mqtt/{device}', codec: 'zigbee2mqtt' },
  { pattern: 'zigbee2mqtt/{device}/availability', codec: 'zigbee2mqtt' },
  { pattern: '{device}/events/rpc', codec: 'shelly', aliases: { 'shelly-1:100': 'udara-02' } },
  { pattern: '{device}/online', codec: 'shelly' },
  { pattern: 'airgradient/readings/{device}', codec: 'airgradient' },
  { pattern: 'application/{application}/device/{device}/event/{event}', codec: 'chirpstack' },
  { pattern: 'lora/{application}/event/{event}', codec: 'chirpstack', device: 'gw-01' },
  { pattern: 'v3/{application}/devices/{device}/{event}', codec: 'the-things-stack' },
  { pattern: 'ngsi/{service}', codec: 'fiware', device: 'gw-01', aliases: { 'urn:udara:1': 'udara-01' } },
  { pattern: 'senml/{who}', codec: 'senml', device: 'gw-01', aliases: { 'urn:udara:1': 'udara-01' } },
  { pattern: 'spBv1.0/{group}/{type}/{node}', codec: 'sparkplug-b', device: 'gw-01' },
  { pattern: 'spBv1.0/{group}/{type}/{node}/{device}', codec: 'sparkplug-b' },
  { pattern: 'frigate/stats', codec: 'frigate', device: 'gw-01', aliases: { front_door: 'cctv-01' } },
  { pattern: 'frigate/available', codec: 'frigate', device: 'gw-01' },
  { pattern: 'frigate/{camera}/status/{role}', codec: 'frigate', device: 'gw-01' },
  { pattern: 'axis/{device}/event/{name}', codec: 'axis' },
  { pattern: '{device}/onvif-ej/{source}/{name}', codec: 'axis' },
  { pattern: 'purpleair/{device}', codec: 'purpleair' },
  { pattern: 'push/{device}', codec: 'sensor-community' },
];

/** Topics of each codec; `$` stands for the device. */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  tasmota: ['tele/$/SENSOR', 'tele/$/STATE', 'tele/$/LWT'],
  esphome: ['$/sensor/pm_2_5/state', '$/sensor/temperature/state', '$/sensor/constructor/state'],
  zigbee2mqtt: ['zigbee2mqtt/$', 'zigbee2mqtt/$/availability'],
  shelly: ['$/events/rpc', '$/online'],
  airgradient: ['airgradient/readings/$'],
  chirpstack: [
    'application/7/device/$/event/up',
    'lora/7/event/up',
    'lora/7/event/status',
    'lora/7/event/log',
  ],
  'the-things-stack': ['v3/app@tenant/devices/$/up', 'v3/app@tenant/devices/$/join'],
  fiware: ['ngsi/air'],
  senml: ['senml/x'],
  'sparkplug-b': [
    ...['NBIRTH', 'NDATA', 'NDEATH'].map((type) => `spBv1.0/kab/${type}/gw`),
    ...['DBIRTH', 'DDATA', 'DDEATH'].map((type) => `spBv1.0/kab/${type}/gw/$`),
  ],
  frigate: ['frigate/stats', 'frigate/available', 'frigate/front_door/status/detect'],
  axis: ['axis/$/event/pir', '$/onvif-ej/VideoSource/MotionAlarm'],
  purpleair: ['purpleair/$'],
  'sensor-community': ['push/$'],
};

const INSTANT = '2026-01-02T03:04:05Z';
/** Beside the fixtures: forms that they do not show, and payloads of codecs whose fixtures are not shipped. */
const MORE: Readonly<Record<string, readonly (string | object)[]>> = {
  esphome: ['18.4', '-3', 'nan', 'None', '1e308'],
  senml: [
    [
      { bn: 'urn:udara:1:', bt: 1767323045, bu: 'ug/m3', n: 'pm25', v: 12 },
      { n: 'pm10', v: 20 },
      { n: 'temperature', u: 'Cel', v: 30 },
    ],
  ],
  'the-things-stack': [
    {
      end_device_ids: { device_id: 'udara-01' },
      uplink_message: { received_at: INSTANT, decoded_payload: { pm2_5: 12, temperature: 30.5, no2_ppb: 8 } },
    },
  ],
  chirpstack: [
    { time: INSTANT, deviceInfo: { devEui: 'udara-01' }, object: { pm10: 20, o3_ugm3: 44 } },
    {
      deviceInfo: { devEui: 'udara-01' },
      object: {
        history: [
          { timestamp: 1, so2_ppb: 8 },
          { timestamp: 1767323045, so2_ppb: 9 },
        ],
      },
    },
  ],
  shelly: [
    {
      src: 'shelly-1',
      method: 'NotifyStatus',
      params: { ts: 1767323045.5, 'temperature:0': { tC: 30.5 }, 'humidity:100': { rh: 80 } },
    },
  ],
  'sensor-community': [{ sensordatavalues: [{ value_type: 'SDS_P1', value: '31.50' }] }],
  tasmota: [{ Time: '2026-01-02T10:04:05', SDS0X1: { 'PM2.5': 12.5, PM10: 20 } }],
  fiware: [
    [
      {
        id: 'urn:udara:1',
        type: 'AirQualityObserved',
        dateObserved: { value: INSTANT },
        no2: { value: 0.012, metadata: { unitCode: { value: 'GP' } } },
      },
    ],
  ],
};

const NATIVE: Readonly<Record<(typeof TOPIC_KINDS)[number], object>> = {
  telemetry: {
    ts: INSTANT,
    seq: 7,
    values: { pm25: 12.5, pm10: 20, temperature: 30, humidity: 80, no2: 11 },
  },
  heartbeat: { ts: INSTANT, state: 'down', reason: 'no picture', frames: 12, lastFrameAt: INSTANT },
  status: { ts: INSTANT, state: 'online', firmware: '1' },
  event: { ts: INSTANT, name: 'door', data: { open: true, count: 2 } },
  result: { ts: INSTANT, id: 'c-1', state: 'done', detail: 'ok' },
};

const SPARKPLUG = [
  sparkplug([
    { name: 'bdSeq', datatype: 4, value: int(11, 3) },
    { name: 'Air/PM2.5', alias: 1, datatype: 9, unit: 'µg/m³', value: float(12, 12.5) },
    { name: 'Air/NO2', alias: 2, datatype: 10, unit: 'ppb', value: double(13, 7.25) },
  ]),
  sparkplug([
    { alias: 1, value: float(12, 13.5) },
    { alias: 2, value: double(13, 8) },
  ]),
  sparkplug([{ alias: 99, value: float(12, NaN) }]),
];
/** A birth of very many metrics. */
const SPARKPLUG_FLOOD = sparkplug(Array.from({ length: 5_000 }, (_, alias) => ({ alias })));

/** Stands in a JSON text for what JSON cannot say. */
const RAW = '\u{1F4A5}';
const RAW_TOKENS = [
  'NaN',
  '-Infinity',
  'nan',
  '1e400',
  '-1e999',
  '01',
  '.5',
  '0x10',
  'undefined',
  '1_000',
  '9'.repeat(400),
];
const SCALARS: readonly unknown[] = [
  ...[0, -0, -1, 1e-320, 1.7e308, -1.7e308, 2 ** 53, -(2 ** 63), 0.1 + 0.2],
  ...['12.5', ' 7 ', '-1e3', 'NaN', 'inf', '0x10', '12,5', '', '\u0000', '\ud800', '"'],
  `${'9'.repeat(10_000)}x`,
  'x'.repeat(5_000),
  ...[null, true, false, [], {}, [[[[]]]], { value: { value: { value: 1 } } }, [1, '2', null]],
];
const TIMES: readonly unknown[] = [
  ...['1969-12-31T23:59:59Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2026-02-30T00:00:00Z'],
  ...['2026-01-02T24:00:00Z', '2026-01-02T03:04:60Z', '2026-01-02T03:04:05+14:00', '2026-01-02T03:04:05'],
  ...['2026-01-02 03:04:05', '2026-01-02', 'kemarin', '02/01/2026', '+275760-09-13T00:00:00Z', '1767323045'],
  ...[
    0,
    -1,
    1,
    1767323045,
    1767323045000,
    1767323045.123,
    8.64e15,
    8.64e15 + 1,
    9007199254740991,
    1e300,
    -1e300,
  ],
];
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '\u0000',
  'values',
  'k'.repeat(300),
  'length',
];
const TIME_KEY =
  /^(ts|t|bt|time|timestamp|last_?seen|received_at|dateobserved|utctime|lastframeat|datetime)$/i;
const BAD_UTF8 = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x82]];

/** Endless messages that no device should send; the same for the same source of random numbers. */
export class HostileMessages {
  readonly #samples = new Map<string, readonly Buffer[]>();
  /** Messages that a device may send again. */
  readonly #sent: Uplink[] = [];

  constructor(private readonly random: Random) {
    for (const codec of Object.keys(TOPICS)) this.#samples.set(codec, samplesOf(codec));
  }

  next(receivedAt: number): Uplink {
    const again = this.#chance(0.02) ? this.#sent[this.#below(this.#sent.length)] : undefined;
    if (again !== undefined) return { ...again, receivedAt, dup: true };
    const uplink = this.#chance(0.3) ? this.#native(receivedAt) : this.#foreign(receivedAt);
    if (uplink.qos > 0) this.#sent[this.#below(20)] = uplink;
    return uplink;
  }

  #native(receivedAt: number): Uplink {
    const kind = this.#of(TOPIC_KINDS);
    const sample = Buffer.from(JSON.stringify(this.#chance(0.1) ? NATIVE.telemetry : NATIVE[kind]));
    const device = this.#of(DEVICES);
    const topic = `pantau/v1/betung/${device}/${kind}`;
    return { ...this.#frame(device, receivedAt), kind, topic, payload: this.#damaged(sample) };
  }

  #foreign(receivedAt: number): Uplink {
    const codec = this.#of(Object.keys(TOPICS));
    // Now and then what another maker's device says, on this one's topic.
    const samples = this.#samples.get(this.#chance(0.05) ? this.#of(Object.keys(TOPICS)) : codec) ?? [];
    const sample = this.#of(samples);
    const device = this.#of(DEVICES);
    const payload = codec === 'sparkplug-b' && this.#chance(0.002) ? SPARKPLUG_FLOOD : this.#damaged(sample);
    const frame = { ...this.#frame(device, receivedAt), kind: 'foreign' as const, payload };
    if (this.#chance(0.1))
      return {
        ...frame,
        topic: '',
        codec: this.#chance(0.05) ? this.#of(KEYS) : codec,
        qos: 1,
        messageId: undefined,
      };
    // A mapping that was taken away since leaves topics that nobody reads.
    const topic = this.#chance(0.01) ? 'gone/away' : this.#of(TOPICS[codec] ?? []);
    const owner = MAPPINGS.find(({ codec: name, device: id }) => name === codec && id !== undefined);
    const sender = owner?.device !== undefined && !topic.includes('$') ? owner.device : device;
    // Every tenth sub-device of Sparkplug is a new one.
    const name = codec === 'sparkplug-b' && this.#chance(0.1) ? `d${this.#below(1_000)}` : sender;
    return { ...frame, device: sender, topic: topic.replace('$', name) };
  }

  #frame(device: string, receivedAt: number): Omit<Uplink, 'kind' | 'topic' | 'payload'> {
    const qos = this.#of([0, 1, 1, 2] as const);
    const id = this.#chance(0.01) ? 'hilang-01' : device;
    const messageId = qos === 0 ? undefined : 1 + this.#below(65_535);
    const dup = qos > 0 && this.#chance(0.05);
    return { site: 'betung', device: id, receivedAt, qos, messageId, dup, session: 's', will: false };
  }

  #damaged(sample: Buffer): Buffer {
    const dice = this.random();
    if (dice < 0.15) return sample;
    if (dice < 0.2) return sample.subarray(0, this.#below(sample.length + 1));
    if (dice < 0.28) return this.#spliced(sample, this.#bytes(1 + this.#below(8)));
    if (dice < 0.32) return this.#bytes(this.#below(400));
    if (dice < 0.36) return this.#spliced(sample, Buffer.from(this.#of(BAD_UTF8)));
    if (dice < 0.39) return this.#deep();
    if (dice < 0.391) return this.#giant(sample);
    return this.#misshapen(sample);
  }

  #deep(): Buffer {
    const depth = this.#chance(0.01) ? 100_000 : 1 + this.#below(200);
    const open = this.#of(['[', '{"a":', '[{"values":']);
    return Buffer.from(open.repeat(depth) + (this.#chance(0.5) ? '1' : ''));
  }

  /** As large as a message may be. */
  #giant(sample: Buffer): Buffer {
    const room = 250_000;
    const text = sample.toString();
    const many = (part: (i: number) => string): string => {
      const parts: string[] = [];
      for (let bytes = 0, i = 0; bytes < room; i++) {
        const next = part(i);
        parts.push(next);
        bytes += next.length + 1;
      }
      return parts.join(',');
    };
    return Buffer.from(
      this.#of([
        () => `[${many(() => text)}]`,
        () => `{"values":{${many((i) => `"p${i}":${i}`)}},"ts":"${INSTANT}"}`,
        () => `{"ts":"${INSTANT}","values":{${many((i) => `"pm25_${i}":"${i}"`)}}}`,
        () => `[${many((i) => `{"bn":"d${i}:","n":"pm25","u":"ug/m3","v":${i}}`)}]`,
        () => `{"sensordatavalues":[${many((i) => `{"value_type":"SDS_P${i % 3}","value":"x${i}"}`)}]}`,
        () => `{"cameras":{${many((i) => `"c${i}":{"camera_fps":${i % 2}}`)}}}`,
        () => `{${many((i) => `"S${i}":{"Temperature":${i},"PM10":"x"}`)}}`,
        () => '9'.repeat(room) + 'x',
        () => ' '.repeat(room),
      ])(),
    );
  }

  /** JSON whose members are of the wrong kind, have strange names, or stand there twice. */
  #misshapen(sample: Buffer): Buffer {
    let value: unknown;
    try {
      value = JSON.parse(sample.toString());
    } catch {
      return this.#chance(0.5)
        ? Buffer.from(String(this.#of(SCALARS)))
        : this.#spliced(sample, this.#bytes(4));
    }
    for (let n = 1 + this.#below(3); n > 0; n--) value = this.#changed(value, '');
    let text = JSON.stringify(value).replaceAll(`"${RAW}"`, () => this.#of(RAW_TOKENS));
    if (this.#chance(0.1)) text = text.replace('"__x":', '"__proto__":');
    if (this.#chance(0.15)) text = this.#doubled(text);
    return Buffer.from(text);
  }

  /** The value with one member, at any depth, replaced, renamed or added. */
  #changed(value: unknown, key: string): unknown {
    if (typeof value !== 'object' || value === null || this.#chance(0.1)) {
      if (TIME_KEY.test(key) && this.#chance(0.8)) return this.#of(TIMES);
      return this.#chance(0.15) ? RAW : this.#of(SCALARS);
    }
    if (Array.isArray(value)) {
      if (value.length === 0 || this.#chance(0.1)) return [...(value as unknown[]), this.#of(SCALARS)];
      const at = this.#below(value.length);
      return value.map((old: unknown, i) => (i === at ? this.#changed(old, key) : old));
    }
    const entries = Object.entries(value);
    if (entries.length === 0 || this.#chance(0.15))
      return Object.fromEntries([...entries, [this.#of([...KEYS, '__x']), this.#of(SCALARS)]]);
    const at = this.#below(entries.length);
    return Object.fromEntries(
      entries.map(([name, member], i) =>
        i !== at
          ? [name, member]
          : this.#chance(0.1)
            ? [this.#of(KEYS), member]
            : [name, this.#changed(member, name)],
      ),
    );
  }

  /** A member that is there before comes again with another value. */
  #doubled(text: string): string {
    const members = [...text.matchAll(/"([^"\\]{1,40})":/g)];
    const member = members[this.#below(members.length)];
    if (member === undefined) return text;
    const twice = `${JSON.stringify(member[1])}:${JSON.stringify(this.#of([...SCALARS, ...TIMES]))},`;
    return text.slice(0, member.index) + twice + text.slice(member.index);
  }

  #spliced(sample: Buffer, patch: Uint8Array): Buffer {
    const at = this.#below(sample.length + 1);
    return Buffer.concat([sample.subarray(0, at), patch, sample.subarray(at + this.#below(4))]);
  }

  #bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.#below(256)));
  }

  #below(n: number): number {
    return Math.floor(this.random() * n);
  }

  #chance(share: number): boolean {
    return this.random() < share;
  }

  #of<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }
}

/** The shipped fixtures of a codec, all but those that show how another one is to be understood. */
function samplesOf(codec: string): readonly Buffer[] {
  if (codec === 'sparkplug-b') return SPARKPLUG;
  const folder = join(CODECS, codec, 'fixtures');
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const shipped = files
    .filter((name) => /\.(json|txt)$/.test(name) && !name.endsWith('.resolved.json'))
    .map((name) => readFileSync(join(folder, name)));
  const more = (MORE[codec] ?? []).map((one) =>
    Buffer.from(typeof one === 'string' ? one : JSON.stringify(one)),
  );
  return [...shipped, ...more];
}
