import { temporaryFolder, waitUntil } from '#libs/testing';
import { Aedes } from 'aedes';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { onAndOn, replayOf, splitAt, type Message } from './messages.js';
import { play, type PlayOptions, type Progress } from './player.js';
import { devicesOf, planSchema, prefixed, readPlan } from './plan.js';
import { readRecording } from './recording.js';

const plan = planSchema.parse({
  site: 'demo',
  from: '2015-12-06T17:00:00Z',
  to: '2015-12-07T17:00:00Z',
  stations: [{ device: 'udara-dongsi', recording: 'beijing-dongsi' }],
  cameras: { interval: '5m', devices: ['cctv-01', 'cctv-02'] },
});
const passwords = { 'udara-dongsi': 'a', 'cctv-01': 'b', 'cctv-02': 'c' };
const clock = { now: Date.now };
const messagesOf = (...args: Parameters<typeof replayOf>): Map<string, readonly Message[]> =>
  new Map(Array.from(replayOf(...args), ([device, { messages }]) => [device, [...messages]]));

interface Received {
  readonly client: string;
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
}

/** Aedes with passwords, as a broker that keeps what it acknowledged. */
async function broker(): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly received: Received[];
    readonly wills: string[];
    /** Cuts every connection without a word. */
    cut(): void;
  }
> {
  const received: Received[] = [];
  const wills: string[] = [];
  const aedes = await Aedes.createBroker({
    authenticate: (client, _user, password, done) =>
      done(
        password?.toString() === (passwords as Record<string, string>)[client.id]
          ? null
          : Object.assign(new Error('no'), { returnCode: 4 }),
        password?.toString() === (passwords as Record<string, string>)[client.id],
      ),
    authorizePublish: (client, packet, done) => {
      const text = packet.payload.toString();
      if (text.includes('offline')) wills.push(client?.id ?? '');
      else received.push({ client: client?.id ?? '', topic: packet.topic, text, qos: packet.qos });
      done(null);
    },
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    wills,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      await new Promise<void>((done) => aedes.close(done));
      await closed;
    },
  };
}

const options = (url: string, more: Partial<PlayOptions> = {}): PlayOptions => ({
  replay: replayOf(plan),
  url,
  passwords,
  speed: 'max',
  clock,
  ...more,
});

describe('a plan', () => {
  it('is turned into messages of every device, in order, with the instants of the recording', () => {
    const messages = messagesOf(plan);
    expect([...messages.keys()]).toEqual([...devicesOf(plan).air, ...devicesOf(plan).cameras]);
    expect(messages.get('cctv-01')).toHaveLength(288);
    for (const list of messages.values()) {
      for (const [i, { ts, dueAt }] of list.entries()) {
        expect(ts >= plan.from && ts < plan.to).toBe(true);
        if (i > 0) expect(dueAt).toBeGreaterThanOrEqual(list[i - 1]!.dueAt);
      }
    }
  });

  it('can be moved in time as a whole', () => {
    const [before, after] = [messagesOf(plan), messagesOf(plan, 1_000)];
    for (const [device, list] of before)
      expect(after.get(device)?.map(({ ts }) => ts - 1_000)).toEqual(list.map(({ ts }) => ts));
  });

  it('goes on without an end: what was recorded next, the recording again, the same outages of the cameras again', () => {
    const { from, to } = plan;
    const outages = [
      { device: 'cctv-01', kind: 'stream-lost' as const, from: from + HOUR, to: from + 2 * HOUR },
    ];
    const { cameras } = plan;
    const endless = onAndOn(
      { ...plan, ...(cameras === undefined ? {} : { cameras: { ...cameras, outages } }) },
      0,
    );
    const recorded = readRecording('beijing-dongsi').filter(({ values }) => Object.keys(values).length > 0);
    const { before } = splitAt(endless, from + 100 * DAY);
    const [station, camera] = ['udara-dongsi', 'cctv-01'].map((id) => [...before.get(id)!.messages]);
    const after = recorded.filter(({ ts }) => ts >= from);
    expect(station!.slice(0, after.length).map(({ ts }) => ts)).toEqual(after.map(({ ts }) => ts));
    const again = station![after.length]!;
    expect([again.values, again.ts - recorded[0]!.ts]).toEqual([recorded[0]!.values, 92 * DAY]);
    const down = camera!.filter(({ payload }) => payload.includes('"down"')).map(({ ts }) => ts);
    expect(down).toHaveLength(100 * 12);
    expect(
      down.every((ts) => (ts - from) % (to - from) >= HOUR && (ts - from) % (to - from) < 2 * HOUR),
    ).toBe(true);
  });

  it('is split at an instant into what is due and what follows', () => {
    const at = plan.from + 10 * HOUR + 30 * MINUTE;
    const { before, after } = splitAt(replayOf(plan), at);
    for (const [device, all] of messagesOf(plan)) {
      const [due, rest] = [before, after].map((part) => [...part.get(device)!.messages]);
      expect([...due!, ...rest!]).toEqual(all);
      expect(due!.every(({ dueAt }) => dueAt <= at) && rest!.every(({ dueAt }) => dueAt > at)).toBe(true);
    }
  });

  it('can have devices with names of their own', () => {
    const own = devicesOf(prefixed(readPlan('demo'), 'x'));
    const { air, cameras } = devicesOf(readPlan('demo'));
    expect([own.air, own.cameras]).toEqual([air, cameras].map((ids) => ids.map((id) => `x-${id}`)));
  });

  it('that ships with Pantau can be read', () => {
    const { air, cameras } = devicesOf(readPlan('demo'));
    expect([air.length, cameras.length]).toEqual([2, 6]);
  });

  it('that is wrong is refused with the place and what was expected', () => {
    using folder = temporaryFolder('plan');
    expect(() => readPlan(join(folder.path, 'none.yaml'))).toThrow(/Give demo or the path of a YAML file/);
    expect(() =>
      planSchema.parse({
        site: 'x',
        from: '2026-01-01T00:00:00Z',
        to: '2026-01-02T00:00:00Z',
        cameras: { interval: 'often', devices: [] },
      }),
    ).toThrow(/expected a duration such as 30s/);
  });
});

describe('the player', () => {
  it('plays every device as a client of its own, QoS 1, in order, and leaves no will behind', async () => {
    await using server = await broker();
    using folder = temporaryFolder('player');
    const acknowledgedLog = join(folder.path, 'log.jsonl');
    const seen: Progress[] = [];
    const report = await play(
      options(server.url, { acknowledgedLog, onProgress: (progress) => seen.push(progress) }),
    );
    const expected = messagesOf(plan);
    const total = [...expected.values()].reduce((sum, { length }) => sum + length, 0);
    expect(report).toMatchObject({ total, sent: total, acknowledged: total, waiting: 0 });
    expect(seen.at(-1)?.acknowledged).toBe(total);
    for (const [device, list] of expected) {
      const got = server.received.filter(
        ({ client, topic }) => client === device && !topic.endsWith('/status'),
      );
      expect(got.map(({ text }) => text)).toEqual(list.map(({ payload }) => payload));
      expect(got.every(({ qos, topic }) => qos === 1 && topic.startsWith(`pantau/v1/demo/${device}/`))).toBe(
        true,
      );
    }
    expect(server.wills).toEqual([]);
    expect(readFileSync(acknowledgedLog, 'utf8').trim().split('\n')).toHaveLength(total);
  });

  it('connects again after a cut and sends what was not acknowledged: nothing is missing', async () => {
    await using server = await broker();
    let cuts = 0;
    const report = await play(
      options(server.url, {
        speed: 40_000,
        onProgress: ({ acknowledged }) => {
          if (cuts === 0 && acknowledged > 50) {
            cuts++;
            server.cut();
          }
        },
      }),
    );
    expect(cuts).toBe(1);
    expect(report.acknowledged).toBe(report.total);
    for (const [device, list] of messagesOf(plan)) {
      const got = new Set(server.received.filter(({ client }) => client === device).map(({ text }) => text));
      for (const { payload } of list) expect(got).toContain(payload);
    }
    // The broker saw the connections die.
    expect(server.wills.length).toBeGreaterThan(0);
  });

  it('stops with the name of a device whose password is wrong, and sends nothing where some have none', async () => {
    await using server = await broker();
    const wrong = { ...passwords, 'cctv-02': 'wrong' };
    await expect(play(options(server.url, { passwords: wrong }))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('cctv-02'),
    });
    server.received.length = 0;
    await expect(play(options(server.url, { passwords: { 'cctv-01': 'b' } }))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('udara-dongsi, cctv-02'),
    });
    expect(server.received).toEqual([]);
  });

  it('ends with a clear error when there is no broker for as long as it is patient', async () => {
    const gone = await broker();
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    await expect(play(options(url, { patience: 300 }))).rejects.toMatchObject({
      code: 'BROKER_UNAVAILABLE',
      message: expect.stringMatching(/no connection to mqtt:\S+ for 0\.3 s \(device \S+: .*ECONNREFUSED/),
    });
  });

  it('sends nothing before it is due by the clock, however fast it may', async () => {
    await using server = await broker();
    const replay = onAndOn(plan, Date.now() + HOUR - plan.from);
    const abort = new AbortController();
    const playing = play(options(server.url, { replay, signal: abort.signal }));
    await waitUntil('every device is connected', () =>
      Object.keys(passwords).every((device) => server.received.some(({ client }) => client === device)),
    );
    abort.abort();
    expect(await playing).toMatchObject({ acknowledged: 0, total: Infinity });
  });

  it('ends when it is told to, in the middle, with what was acknowledged by then', async () => {
    await using server = await broker();
    const abort = new AbortController();
    const playing = play(options(server.url, { speed: 1, signal: abort.signal }));
    await waitUntil(
      'every device has said something',
      () => new Set(server.received.map(({ client }) => client)).size === 3,
    );
    abort.abort();
    const report = await playing;
    expect(report.acknowledged).toBeLessThan(report.total);
  });
});
