import { eachEntry } from '#libs/journal';
import { HOUR, MINUTE } from '#libs/kernel';
import { waitUntil } from '#libs/testing';
import type { HeartbeatSignal, Signal, StatusSignal } from '#libs/telemetry';
import { generate, parser, type Packet } from 'mqtt-packet';
import { EventEmitter, once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { fixture } from '../../../../devices/codecs/codec.contract.js';
import {
  double,
  DOUBLE,
  float,
  FLOAT,
  int,
  payload,
} from '../../../../devices/codecs/sparkplug-b/sparkplug.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const MAPPINGS = `
mappings:
  - { pattern: 'tele/{device}/SENSOR', codec: tasmota, utcOffset: '+07:00', aliases: { sonoff: udara-01 } }
  - { pattern: 'tele/{device}/LWT', codec: tasmota, aliases: { sonoff: udara-01 } }
  - pattern: application/{application}/device/{device}/event/{event}
    codec: chirpstack
    aliases: { '00000000000000a9': udara-09 }
  - pattern: frigate/stats
    codec: frigate
    aliases: { gerbang: cctv-01, parkir: cctv-02 }
  - { pattern: frigate/available, codec: frigate }
  - pattern: frigate/{camera}/enabled/state
    codec: frigate
    aliases: { gerbang: cctv-01, parkir: cctv-02 }
  - pattern: spBv1.0/{group}/{type}/{node}
    codec: sparkplug-b
    aliases: { gw: gateway-01, udara: udara-10 }
  - pattern: spBv1.0/{group}/{type}/{node}/{part}
    codec: sparkplug-b
    aliases: { gw: gateway-01, udara: udara-10 }
  - { pattern: 'push/{device}', codec: sensor-community }
`;

/** Pantau with the mappings, a gateway that speaks for two devices, and what lies behind it. */
async function start(): Promise<PantauFixture> {
  const pantau = await new PantauFixture().start(MAPPINGS);
  const { registry } = pantau.engines;
  for (const [id, kind, speaksFor] of [
    ['udara-09', 'air', undefined],
    ['udara-10', 'air', undefined],
    ['cctv-02', 'camera', undefined],
    ['gateway-01', 'gateway', ['udara-09', 'udara-10', 'cctv-01', 'cctv-02']],
  ] as const)
    await registry.putDevice({
      ...{ id, site: 'betung', kind, name: id, intervalMs: MINUTE },
      ...(speaksFor === undefined ? {} : { speaksFor: [...speaksFor] }),
    });
  return pantau;
}

interface Stored {
  readonly device: string;
  readonly parameter: string;
  readonly value: number;
  readonly ts: string;
  readonly flag: number;
}

/** Every stored reading, oldest first. */
async function stored(pantau: PantauFixture): Promise<Stored[]> {
  await pantau.caughtUp();
  return pantau.items('readings?order=asc&limit=1000');
}

async function signals<T extends Signal>(pantau: PantauFixture, type: T['type']): Promise<T[]> {
  await pantau.caughtUp();
  const found: T[] = [];
  await eachEntry(pantau.engines.journal, 'signals', ({ data }) => {
    if (data.type === type) found.push(data as T);
  });
  return found;
}

async function ofDevice(pantau: PantauFixture, id: string): Promise<object[]> {
  return (await pantau.items<{ id: string }>('devices')).filter((device) => device.id === id);
}

const at = (ms: number): string => new Date(ms).toISOString();

/** A device that does what a client library would not: it sends a packet again as it was. */
async function rawDevice(
  pantau: PantauFixture,
  id: string,
): Promise<Disposable & { exchange(packet: Packet): Promise<Packet> }> {
  const password = await pantau.engines.credentials.issue(id);
  const socket = connectSocket(Number(new URL(pantau.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const packets = new EventEmitter();
  const reader = parser();
  reader.on('packet', (packet: Packet) => packets.emit('packet', packet));
  socket.on('data', (chunk: Buffer) => reader.parse(chunk));
  const exchange = async (packet: Packet): Promise<Packet> => {
    const answer = once(packets, 'packet') as Promise<[Packet]>;
    socket.write(generate(packet, {}));
    return (await answer)[0];
  };
  const answer = await exchange({
    ...{ cmd: 'connect', clientId: id, username: id, password: Buffer.from(password), keepalive: 60 },
    ...{ protocolId: 'MQTT', protocolVersion: 4, clean: true },
  });
  expect(answer).toMatchObject({ cmd: 'connack', returnCode: 0 });
  return { exchange, [Symbol.dispose]: () => socket.destroy() };
}

describe('devices of other makers, through the whole program', () => {
  it('Tasmota: on its own topics, its local time as the configuration says', async () => {
    await using pantau = await start();
    const client = await pantau.connect('udara-01');
    const ten = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;
    const local = at(ten + 7 * HOUR).slice(0, 19);
    const real = JSON.parse(fixture('tasmota', 'SENSOR_sds0x1.json').toString());
    await client.publishAsync('tele/sonoff/LWT', fixture('tasmota', 'LWT_online.txt'), { qos: 1 });
    await client.publishAsync('tele/sonoff/SENSOR', JSON.stringify({ ...real, Time: local }), { qos: 1 });
    expect(await stored(pantau)).toEqual([
      expect.objectContaining({ device: 'udara-01', parameter: 'pm10', value: 31.2, ts: at(ten), flag: 1 }),
      expect.objectContaining({ device: 'udara-01', parameter: 'pm25', value: 18.4, ts: at(ten), flag: 1 }),
    ]);
    expect(await signals<StatusSignal>(pantau, 'status')).toEqual([
      expect.objectContaining({ device: 'udara-01', state: 'online' }),
    ]);
  });

  it('ChirpStack: a server with a credential of its own speaks for the devices that are listed for it, and for no others', async () => {
    await using pantau = await start();
    const client = await pantau.connect('gateway-01');
    const up = JSON.parse(fixture('chirpstack', 'v4_up.json').toString());
    const time = Date.now() - MINUTE;
    const decoded = {
      ...up,
      time: at(time).replace('Z', '456789+00:00'),
      object: { pm2_5: 14, no2_ppb: 10, co2: 600 },
    };
    const topic = (eui: string): string => `application/7/device/${eui}/event/up`;
    // As it comes with a decoder that uses other names.
    const unread = { ...decoded, object: { soil: 3 } };
    await client.publishAsync(topic('00000000000000a9'), JSON.stringify(unread), { qos: 1 });
    await pantau.caughtUp();
    const [node] = await ofDevice(pantau, 'udara-09');
    expect(node).toMatchObject({
      nothingRead: {
        reason: 'unknown_parameter',
        detail: expect.stringContaining('object.soil'),
        messages: 1,
        message: expect.stringContaining('nothing is read'),
        remedy: expect.stringContaining('Rename the members'),
      },
    });
    const { output } = await pantau.command('device', 'list');
    expect(output).toMatch(/^udara-09\t.*\n {2}Melapor, tetapi tidak ada yang terbaca.*object\.soil/m);

    await client.publishAsync(topic('00000000000000A9'), JSON.stringify(decoded), { qos: 1 });
    // As it comes without a decoder at the server.
    await client.publishAsync(topic('00000000000000a9'), JSON.stringify(up), { qos: 1 });
    expect(await stored(pantau)).toEqual([
      // 10 ppb at 25 degC and 1 atm.
      expect.objectContaining({
        device: 'udara-09',
        parameter: 'no2',
        value: (10 * 46.01) / 24.45,
        ts: at(time),
      }),
      expect.objectContaining({ device: 'udara-09', parameter: 'pm25', value: 14, ts: at(time) }),
    ]);
    const rejected = await pantau.items<{ reason: string }>('rejected');
    expect(rejected.filter(({ reason }) => reason !== 'unknown_parameter')).toEqual([
      expect.objectContaining({
        reason: 'unreadable',
        device: 'udara-09',
        detail: expect.stringContaining('set the payload codec in the device profile'),
      }),
    ]);
    expect((await ofDevice(pantau, 'udara-09'))[0]).not.toHaveProperty('nothingRead');
    expect(await pantau.items('devices/udara-09/unread')).toEqual([
      { name: 'object.co2', count: 1, firstAt: expect.any(String), lastAt: expect.any(String) },
    ]);

    // A device that nobody listed: acknowledged, listed for mapping, and no reading.
    await client.publishAsync(topic('00000000000000b0'), JSON.stringify(decoded), { qos: 1 });
    expect(await stored(pantau)).toHaveLength(2);
    expect(await pantau.items('foreign-topics?device=gateway-01')).toMatchObject([
      { topic: topic('00000000000000b0'), reason: 'not_mapped', unknownName: '00000000000000b0', count: 1 },
    ]);
  });

  it('Frigate: one message is a heartbeat of each camera, and a camera that is not listed is refused by name', async () => {
    await using pantau = await start();
    const client = await pantau.connect('gateway-01');
    const real = JSON.parse(fixture('frigate', 'stats_v0.8.json').toString());
    const { front_door: camera, ...rest } = real;
    const cameras = { gerbang: camera, parkir: { ...camera, camera_fps: 0 }, belakang: camera };
    await client.publishAsync('frigate/stats', JSON.stringify({ ...rest, ...cameras }), { qos: 1 });
    const beats = await signals<HeartbeatSignal>(pantau, 'heartbeat');
    expect(beats.map(({ device, state, reason }) => [device, state, reason]).sort()).toEqual([
      ['cctv-01', 'up', undefined],
      ['cctv-02', 'down', 'Frigate: camera_fps is 0'],
    ]);
    const devices = await pantau.items<{ id: string; heartbeat?: object }>('devices');
    expect(devices.find(({ id }) => id === 'cctv-02')).toMatchObject({ heartbeat: { state: 'down' } });
    expect(await pantau.items('rejected')).toEqual([
      expect.objectContaining({
        reason: 'unknown_device',
        device: 'gateway-01',
        detail: '"belakang" is no device that gateway-01 speaks for',
      }),
    ]);
  });

  it('Frigate: a camera that is switched off is off and not broken, and a word that nobody knows is shown', async () => {
    await using pantau = await start();
    const client = await pantau.connect('gateway-01');
    const stats = JSON.stringify({ cameras: { parkir: { camera_fps: 0, pid: 7 } } });
    await client.publishAsync('frigate/parkir/enabled/state', 'OFF', { qos: 1, retain: true });
    await pantau.caughtUp();
    // What was switched off is still known after a restart.
    await pantau.restart();
    const again = await pantau.connect('gateway-01');
    await again.publishAsync('frigate/stats', stats, { qos: 1 });
    await again.publishAsync('frigate/available', 'restarting', { qos: 1 });
    await pantau.caughtUp();
    const devices = await pantau.items<{ id: string; heartbeat?: object; status?: object }>('devices');
    const of = (id: string): unknown => devices.find((device) => device.id === id);
    expect(of('cctv-02')).toMatchObject({
      heartbeat: { state: 'planned', reason: 'Frigate: switched off by its operator' },
    });
    expect(of('gateway-01')).toMatchObject({ status: { state: 'unknown', stated: 'restarting' } });
    await again.publishAsync('frigate/available', 'stopped', { qos: 1 });
    await pantau.caughtUp();
    const [gateway] = (await pantau.items<{ id: string; status?: object }>('devices')).filter(
      ({ id }) => id === 'gateway-01',
    );
    expect(gateway?.status).toMatchObject({ state: 'offline', ts: expect.stringContaining('T') });
    expect(await pantau.items('rejected')).toEqual([]);
  });

  it('Sparkplug B: what a birth defines is known after a restart of Pantau, until the death', async () => {
    await using pantau = await start();
    const ts = Date.now() - MINUTE;
    const topic = (type: string, part = ''): string => `spBv1.0/kab/${type}/gw${part}`;
    let client = await pantau.connect('gateway-01');
    const node = payload([{ name: 'bdSeq', datatype: 4, value: int(11, 3) }], ts);
    const birth = payload(
      [
        { name: 'Air/PM2.5', alias: 1, datatype: FLOAT, unit: 'µg/m³', value: float(12, 12.5) },
        { name: 'Air/O3', alias: 2, datatype: DOUBLE, unit: 'mg/m³', value: double(13, 0.04) },
      ],
      ts,
    );
    await client.publishAsync(topic('NBIRTH'), node, { qos: 1 });
    await client.publishAsync(topic('DBIRTH', '/udara'), birth, { qos: 1 });
    await pantau.caughtUp();
    await pantau.restart();

    client = await pantau.connect('gateway-01');
    const data = payload([{ alias: 1, value: float(12, 13.5) }], ts + 1_000);
    await client.publishAsync(topic('DDATA', '/udara'), data, { qos: 1 });
    expect((await stored(pantau)).map(({ device, parameter, value }) => [device, parameter, value])).toEqual([
      ['udara-10', 'o3', 40],
      ['udara-10', 'pm25', 12.5],
      ['udara-10', 'pm25', 13.5],
    ]);

    await client.publishAsync(topic('NDEATH'), node, { qos: 1 });
    await client.publishAsync(topic('DDATA', '/udara'), data, { qos: 1 });
    const lives = await signals<StatusSignal>(pantau, 'status');
    expect(lives.map(({ device, state }) => [device, state]).sort()).toEqual([
      ['gateway-01', 'offline'],
      ['gateway-01', 'online'],
      ['udara-10', 'offline'],
      ['udara-10', 'online'],
    ]);
    // After the death an alias means nothing.
    expect(await pantau.items('rejected')).toEqual([
      expect.objectContaining({
        reason: 'unreadable',
        detail: expect.stringContaining('no birth of kab/gw/udara'),
      }),
    ]);
  });
});

describe('time, through the whole program', () => {
  it('counts a message without a time of its own once when the device sends it again', async () => {
    await using pantau = await start();
    using device = await rawDevice(pantau, 'udara-01');
    const message: Packet = {
      ...{ cmd: 'publish', topic: 'push/udara-01', qos: 1, retain: false, dup: false, messageId: 7 },
      payload: fixture('sensor-community', 'airrohr_sds011_only.json'),
    };
    for (const packet of [message, { ...message, dup: true }, { ...message, dup: true }])
      expect(await device.exchange(packet)).toMatchObject({ cmd: 'puback', messageId: 7 });
    const first = await stored(pantau);
    expect(first.length).toBeGreaterThan(0);
    expect(new Set(first.map(({ ts }) => ts)).size).toBe(1);
    expect(await pantau.items('rejected?reason=repeated')).toHaveLength(2);
    // The same bytes without the mark of a repetition are a new measurement.
    await device.exchange({ ...message, messageId: 8 });
    expect(await stored(pantau)).toHaveLength(2 * first.length);
    const account = await pantau.command('reconcile', '--token', pantau.token);
    expect(account.output).toMatch(/sent again +2\n/);
    expect(account).toMatchObject({ code: 0, output: expect.stringContaining('It adds up.') });
  });

  it('keeps what a device with a wrong clock measures at its arrival, marks it, and shows the clock', async () => {
    await using pantau = await start();
    const client = await pantau.connect('udara-01');
    const telemetry = 'pantau/v1/betung/udara-01/telemetry';
    const begun = Date.now();
    // Lost at a power cut, and a year ahead.
    for (const [ts, pm25] of [
      ['1970-01-01T00:02:00Z', 21],
      [at(begun + 365 * 24 * HOUR), 22],
      [at(begun), 23],
    ])
      await client.publishAsync(telemetry, JSON.stringify({ ts, values: { pm25 } }), { qos: 1 });
    const readings = await stored(pantau);
    const ended = Date.now();
    expect(readings.map(({ value, flag }) => [value, flag]).sort()).toEqual([
      [21, 3],
      [22, 3],
      [23, 1],
    ]);
    for (const { ts } of readings) {
      expect(Date.parse(ts)).toBeGreaterThanOrEqual(begun);
      expect(Date.parse(ts)).toBeLessThanOrEqual(ended);
    }
    expect(await pantau.items('rejected')).toEqual([]);
    const { body } = await pantau.get<{ items: unknown[] }>('devices/udara-01/clock');
    expect(body.items).toEqual([expect.objectContaining({ messages: 3, wrong: 2, withoutTime: 0 })]);
  });
});

describe('a mapped topic of another device', () => {
  it('is acknowledged, recorded, and leaves no reading', async () => {
    await using pantau = await start();
    await pantau.engines.registry.putDevice({
      ...{ id: 'udara-02', site: 'betung', kind: 'air', name: 'Udara 2', intervalMs: MINUTE },
    });
    const client = await pantau.connect('udara-01');
    const real = fixture('tasmota', 'SENSOR_sds0x1.json');
    await client.publishAsync('tele/udara-02/SENSOR', real, { qos: 1 });
    const [refusal] = await waitUntil('the refusal is recorded', async () => {
      const items = await pantau.items<object>('rejected?reason=topic_not_allowed');
      return items.length > 0 && items;
    });
    expect(refusal).toMatchObject({ device: 'udara-01', topic: 'tele/udara-02/SENSOR' });
    expect(await stored(pantau)).toEqual([]);
    expect(await pantau.items('foreign-topics?device=udara-01')).toMatchObject([
      { topic: 'tele/udara-02/SENSOR', reason: 'topic_not_allowed', count: 1 },
    ]);
    // What it may write to still works.
    const again = client;
    await again.publishAsync('tele/sonoff/SENSOR', JSON.stringify({ SDS0X1: { PM10: 30 } }), { qos: 1 });
    expect(await stored(pantau)).toHaveLength(1);
  });
});
