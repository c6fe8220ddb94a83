import { isObject } from '#libs/kernel';
import type { Codec, CodecInput, CodecResult, MeasuredParameter, Unit } from '#libs/telemetry';
import { housingUnless } from '../order.js';
import {
  Gathered,
  ignored,
  readNumber,
  readObject,
  refusal,
  refused,
  resultOf,
  shown,
  sourceUnless,
  statusOfWord,
} from '../reading.js';
import { readEpoch } from '../reading-time.js';
import { timeUnder } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/**
 * Ruuvi Gateway over MQTT: `ruuvi/{gateway}/{tag}`, an advertisement in hexadecimal, and `ruuvi/{gateway}/gw_status`.
 *
 * Source: Ruuvi documentation, "MQTT: Data from Bluetooth-sensors" and data formats 5, 6 and E1.
 */
export const codec: Codec = { name: 'ruuvi', version: 2, decode };

/** A field of a frame: big-endian, divided by a number that the format states. */
interface Field {
  readonly at: number;
  readonly divisor: number;
  readonly parameter: MeasuredParameter;
  readonly unit: Unit;
}

interface Format {
  readonly length: number;
  readonly fields: readonly Field[];
  /** What it holds of the air beside them, each with its first byte. */
  readonly others?: Readonly<Record<string, number>>;
}

const CLIMATE: readonly Field[] = [
  { at: 1, divisor: 200, parameter: 'temperature', unit: 'degC' },
  { at: 3, divisor: 400, parameter: 'humidity', unit: '%' },
];
const particles = (at: number, parameter: MeasuredParameter): Field => ({
  ...{ at, divisor: 10, parameter, unit: 'ug/m3' },
});
/** Pascals above 50,000; in the same place in every format. */
const PRESSURE_AT = 5;
const EXTENDED = 0xe1;

const FORMATS: ReadonlyMap<number, Format> = new Map([
  [5, { length: 24, fields: CLIMATE }],
  [6, { length: 20, fields: [...CLIMATE, particles(7, 'pm25')], others: { co2: 9, voc: 11, nox: 12 } }],
  [
    EXTENDED,
    {
      length: 40,
      fields: [...CLIMATE, particles(9, 'pm25'), particles(13, 'pm10')],
      others: { pm1_0: 7, pm4_0: 11, co2: 15, voc: 17, nox: 18 },
    },
  ],
]);

/** What the gateway says of itself and of the way; the seconds are texts. */
const OF_THE_GATEWAY = /^(?:gw_?\w*|ts|aoa|coords|data|ble_phy|chan|tx_power)$/;
const WORDS = { online: 'online', offline: 'offline' } as const;

const MANUFACTURER = 0x0499;
const MANUFACTURER_DATA = 0xff;

function decode(input: CodecInput): CodecResult {
  const read = readObject(input.payload);
  if ('refusal' in read) return refused(read.refusal);
  const unread = unreadNumbers(read.object, '', OF_THE_GATEWAY);
  const levels = input.topic.split('/');
  if (levels.at(-1) === 'gw_status') return statusOfWord('state', read.object['state'], WORDS, unread);
  const { data } = read.object;
  if (typeof data !== 'string' || !/^(?:[0-9a-f]{2}){1,255}$/i.test(data))
    return refused(
      refusal('unreadable', 'data', `expected an advertisement in hexadecimal, found ${shown(data)}`),
    );
  const frame = frameOf(Buffer.from(data, 'hex'));
  if (frame === undefined) return ignored('an advertisement of no Ruuvi sensor', unread);
  const format = FORMATS.get(frame[0] ?? 0);
  if (format === undefined || frame.length < format.length)
    return refused(
      refusal(
        'unreadable',
        'data',
        `expected data format 5, 6 or E1, found ${(frame[0] ?? 0).toString(16).toUpperCase()}`,
      ),
    );
  // A sensor that sends both says the same in both; format 6 knows less.
  const isExtended = isObject(input.memory) && input.memory['extended'] === true;
  if (frame[0] === 6 && isExtended) return ignored('the sensor says the same in data format E1', unread);
  // The gateway writes its seconds as text.
  const time = timeUnder('ts', read.object, '', (path, found) => {
    const seconds = readNumber(path, found, 'text');
    return 'refusal' in seconds ? seconds : readEpoch(path, seconds.value, 1000);
  });
  if ('refusal' in time) return refused(time.refusal);
  const { source } = sourceUnless(input.parts, levels.at(-1));
  const { housing } = housingUnless(input.parts, levels.at(-1));
  const gathered = new Gathered();
  const units = new StatedUnits(read.object);
  for (const { at, divisor, parameter, unit } of format.fields) {
    const value = valueAt(frame, at, parameter === 'temperature');
    const stated = units.of(parameter, parameter, unit);
    const found = value === undefined ? undefined : value / divisor;
    gathered.measure(parameter, found, parameter, stated.unit, stated.remedy);
  }
  const pascals = valueAt(frame, PRESSURE_AT, false);
  gathered.pressure('pressure', pascals === undefined ? undefined : pascals + 50_000, 0.01);
  const others = Object.entries(format.others ?? {}).filter(([, at]) => isAvailable(frame, at));
  return {
    ...resultOf(
      gathered.telemetry(time.ts, source, housing),
      gathered.refusals,
      'the sensor has no value yet',
      others.map(([name]) => name),
      unread,
    ),
    ...(frame[0] === EXTENDED ? { memory: { extended: true } } : {}),
  };
}

/** What Ruuvi put into the advertisement, after its manufacturer id. */
function frameOf(advertisement: Buffer): Buffer | undefined {
  for (let at = 0; at + 1 < advertisement.length;) {
    const length = advertisement[at] ?? 0;
    const part = advertisement.subarray(at + 1, at + 1 + length);
    if (length === 0 || part.length < length) return undefined;
    if (part[0] === MANUFACTURER_DATA && length >= 4 && part.readUInt16LE(1) === MANUFACTURER)
      return part.subarray(3);
    at += 1 + length;
  }
  return undefined;
}

/** The first byte tells: 40,000 is the largest CO2, 10,000 of particles, 500 of an index, whose last bit stands elsewhere. */
function isAvailable(frame: Buffer, at: number): boolean {
  return frame[at] !== 0xff;
}

/** Undefined for the number that stands for "not available". */
function valueAt(frame: Buffer, at: number, isSigned: boolean): number | undefined {
  const value = isSigned ? frame.readInt16BE(at) : frame.readUInt16BE(at);
  return value === (isSigned ? -0x8000 : 0xffff) ? undefined : value;
}
