import type { Journal } from '#libs/journal';
import { LocalAccountQueries } from '#libs/journal-transport-state';
import { localDateOf, MINUTE } from '#libs/kernel';
import { STREAM_NAMES, type StreamName } from '#libs/streams';
import { waitUntil } from '#libs/testing';
import type { Rejection } from '#libs/telemetry';
import type { MqttClient } from 'mqtt';
import { Packr } from 'msgpackr';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { followAlerts } from '../demo.js';
import { PantauFixture } from './pantau.fixture.js';

const ROOT = join(import.meta.dirname, '../../../..');
const DEVICE = 'udara-01';
/** One for the whole suite, so that all of it is of one day. */
const NOW = Date.now();
const packr = new Packr({ useRecords: false });
const pack = (value: unknown): Buffer => Buffer.from(packr.pack(value));
const nestedBytes = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);

/** What nobody can read, whatever the stream: the bytes of the data of an entry. */
const POISON: Readonly<Record<string, Buffer>> = {
  'the byte that MessagePack never uses': Buffer.of(0xc1),
  'a type that nobody knows': Buffer.of(0xd4, 0x55, 1),
  'nesting that no stack holds': nestedBytes(200_000),
  'nesting that an earlier version took': nestedBytes(3_500),
  nothing: pack(null),
  'a text': pack('text'),
  'an empty map': pack({}),
  'a map of another stream': pack({ device: DEVICE, [DEVICE]: { list: [1, 2, 3] } }),
  'an empty list': pack([]),
  'a list of something else': pack([DEVICE, 7, {}, -1, null, true, [], 'x', 1, 9_999, 'x', 'x', 'x']),
};
const KINDS = Object.keys(POISON).length;

/** Appends poison to every shard of every stream, in chunks with each other. @returns the first offset of each stream's shards */
async function poison(journal: Journal): Promise<void> {
  const poisons = Object.values(POISON).map((data) => Buffer.concat([Buffer.of(0x92), pack(DEVICE), data]));
  for (const stream of STREAM_NAMES)
    for (let shard = 0; shard < journal.shards; shard++) {
      const batch = journal.direct!.begin(stream);
      for (const bytes of poisons) {
        const at = batch.reserve(shard, bytes.length);
        bytes.copy(batch.buffer, at);
      }
      await batch.append();
    }
}

const isSource = (file: string): boolean =>
  file.endsWith('.ts') && !/(spec|fixture|contract)\.ts$|^libs\/(testing|journal|engine-lmdb)\//.test(file);
const SOURCES = ['apps', 'libs']
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((file) => `${folder}/${String(file)}`),
  )
  .filter(isSource)
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));

/** The streams that something follows without a cursor, as the code says it. */
const FOLLOWED = SOURCES.flatMap(({ file, text }) =>
  [...text.matchAll(/\bfollow(?:<[^(]*>)?\(\s*[\w.#]+,\s*\{([^}]*)/g)].map(([, options = '']) => {
    const stream = /\bstream: '(\w+)'/.exec(options)?.[1];
    if (stream === undefined) throw new Error(`${file}: of what it follows the stream is not to be seen`);
    return stream as StreamName;
  }),
);

/** The files that read a stream from somewhere to somewhere, as the code says it. */
const READERS = SOURCES.filter(({ text }) =>
  /\b(readPage|pagesOf|newestFirst|eachEntry|entriesOfKey)(<[^(]*>)?\(/.test(text),
).map(({ file }) => file);

/** What the demonstration prints of the alerts. */
const printed: string[] = [];

/** What each of {@link READERS} is behind: it answers although everything that it reads is poisoned. */
const ANSWERS: Readonly<Record<string, (pantau: PantauFixture) => Promise<unknown>>> = {
  'apps/gateway/src/rejected/newest-matching.ts': async (pantau) => {
    const { status, body } = await pantau.get<{ items: object[]; unreadable: object[] }>(
      'rejected?limit=1000',
    );
    expect(status).toBe(200);
    expect(body.items.length).toBeGreaterThan(0);
    expect(body.unreadable).toHaveLength(KINDS * pantau.engines.journal.shards);
    for (const one of body.unreadable)
      expect(one).toEqual({
        shard: expect.any(Number),
        offset: expect.any(Number),
        detail: expect.stringMatching(/./),
      });
  },
  'apps/gateway/src/journal/read-entry.ts': async (pantau) => {
    const { journal } = pantau.engines;
    const { first, next } = await journal.extent('readings', 0);
    // Poison from the beginning of the shard, and what came after it.
    expect(await pantau.get(`journal/readings/0/${first}`)).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND', errors: [{ field: 'offset' }] },
    });
    for (let shard = 0; shard < journal.shards; shard++) {
      const end = shard === 0 ? next : (await journal.extent('readings', shard)).next;
      if (end > first + KINDS)
        expect(await pantau.get(`journal/readings/${shard}/${end - 1}`)).toMatchObject({ status: 200 });
    }
  },
  'libs/identity/src/audit.ts': async (pantau) => {
    const { status, body } = await pantau.get<{ items: { action: string }[] }>('audit');
    expect(status).toBe(200);
    expect(body.items.some(({ action }) => action.includes('commands'))).toBe(true);
  },
  'apps/gateway/src/health/health.controller.ts': async (pantau) =>
    expect(await pantau.get('health')).toMatchObject({ status: 200, body: { status: 'ok' } }),
  'apps/pantau/src/demo.ts': () => waitUntil('the alert is printed', () => printed.join().includes('FIRING')),
  'apps/gateway/src/reconciliation/bytes-comparison.ts': fullCheck,
  'apps/gateway/src/reconciliation/full-check.ts': fullCheck,
  'apps/gateway/src/journal/appended-since.ts': messages,
  'apps/gateway/src/messages/message-traces.ts': messages,
  'apps/gateway/src/messages/newest-sent.ts': messages,
  'apps/ingest/src/replay.ts': recomputation,
  'libs/evidence/src/verification/journal-source.ts': recomputation,
  'libs/evidence/src/verification/input-chain.ts': recomputation,
  'libs/evidence/src/verification/store-content.ts': recomputation,
  'libs/identity/src/settings/settings.ts': recomputation,
  'apps/pantau/src/commands/reconcile.ts': async (pantau) => {
    const log = pantau.file('acknowledged.jsonl');
    writeFileSync(log, JSON.stringify({ device: DEVICE, ts: 1, values: { pm25: 1 } }) + '\n');
    const { output } = await pantau.command('reconcile', '--acknowledged-log', log);
    expect(output).toContain(`${DEVICE} pm25 1970-01-01T00:00:00.001Z`);
  },
  'apps/pantau/src/commands/export.ts': async (pantau) => {
    const file = pantau.file('segment.jsonl');
    const span = ['--from', '2000-01-01T00:00:00Z', '--to', '2100-01-01T00:00:00Z'];
    expect(await pantau.command('export', file, ...span)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain(`{"type":"message","device":"${DEVICE}"`);
  },
  'apps/gateway/src/live/live-tail.ts': async (pantau) => {
    const beginning = Array<number>(pantau.engines.journal.shards).fill(0).join('.');
    for (const topic of ['readings', 'presence']) {
      const response = await fetch(`${pantau.api}/v1/live?topics=${topic}&device=${DEVICE}`, {
        headers: { authorization: `Bearer ${pantau.token}`, 'last-event-id': `${topic}.${beginning}` },
      });
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes(`event: ${topic}\n`)) break;
      }
      expect(text).toContain(`"device":"${DEVICE}"`);
    }
  },
};

/** Poison stands between the messages, and between what came of them. */
async function messages(pantau: PantauFixture): Promise<void> {
  const { status, body } = await pantau.get<{ items: { became: string }[] }>(`devices/${DEVICE}/messages`);
  expect(status).toBe(200);
  expect(body.items.map(({ became }) => became)).toContain('readings');
  // Whatever could not be read is in no place of the account of its day, and the only thing that is not.
  const days = await pantau.get<{ items: { balanced: boolean; notCounted: number }[] }>(
    'reconciliation/days',
  );
  expect(days.body.items.at(-1)).toMatchObject({ balanced: true, notCounted: expect.any(Number) });
}

async function recomputation(pantau: PantauFixture): Promise<void> {
  const path = `indicators/env.aq.pm25_daily_mean/${DEVICE}/${localDateOf(NOW)}/recomputation`;
  expect(await pantau.get(path)).toMatchObject({ status: 200, body: { result: 'equal' } });
}

async function fullCheck(pantau: PantauFixture): Promise<void> {
  expect(await pantau.send('POST', 'reconciliation/check', {})).toMatchObject({ status: 202 });
  const path = 'reconciliation/check';
  type Status = {
    state: string;
    result?: { unreadable: number; values: { missing: number; stored: number } };
  };
  await waitUntil(
    'the check is over',
    async () => (await pantau.get<Status>(path)).body.state !== 'running',
    60_000,
  );
  const { body } = await pantau.get<Status>(path);
  expect(body).toMatchObject({ state: 'done', result: { values: { missing: 0 } } });
  expect(body.result?.values.stored).toBeGreaterThan(0);
  // Of readings, signals, commands and rejected; of the uplinks it only counts the traces.
  expect(body.result?.unreadable).toBe(4 * KINDS * pantau.engines.journal.shards);
}

/** Everything that a device and its people do is done as if there were no poison. */
async function works(pantau: PantauFixture, device: MqttClient, round: number): Promise<void> {
  const { engines } = pantau;
  const received: { topic: string; payload: string }[] = [];
  device.on('message', (topic, payload) => received.push({ topic, payload: payload.toString() }));
  const base = `pantau/v1/betung/${DEVICE}`;
  await device.subscribeAsync([`${base}/cmd/#`, `${base}/config`], { qos: 1 });
  // A reading: through ingest into the store, the projections and an alert.
  const value = 100 + round;
  for (let minute = 0; minute <= 20; minute++) {
    const ts = new Date(NOW - (20 - minute) * MINUTE).toISOString();
    const values = { pm25: value + minute / 10 };
    await device.publishAsync(`${base}/telemetry`, JSON.stringify({ ts, values }), { qos: 1 });
  }
  await device.publishAsync(`${base}/heartbeat`, JSON.stringify({ state: 'up' }), { qos: 1 });
  await waitUntil('the readings are stored', async () =>
    (await pantau.get<{ items: { value: number }[] }>(`readings?device=${DEVICE}&limit=100`)).body.items.some(
      (reading) => reading.value === value,
    ),
  );
  await waitUntil('the alert is shown', async () => {
    const { body } = await pantau.get<{ items: object[] }>('alerts?state=firing');
    return body.items.length > 0;
  });
  const { body: command } = await pantau.send<{ id: string }>('POST', `devices/${DEVICE}/commands`, {
    name: 'reboot',
    params: { round },
  });
  expect(await pantau.send('PUT', `devices/${DEVICE}/configuration`, { round })).toMatchObject({
    status: 202,
  });
  await waitUntil('command and configuration are here', () =>
    [`"id":"${command.id}"`, `{"round":${round}}`].every((text) =>
      received.some(({ payload }) => payload.includes(text)),
    ),
  );
  await waitUntil('the command is delivered', async () => {
    const { body } = await pantau.get<{ state: string }>(`devices/${DEVICE}/commands/${command.id}`);
    return body.state === 'delivered';
  });
  expect(engines.journal.shards).toBeGreaterThan(1);
}

/** Of each cursor of a stage, how many entries it passed over. */
async function passedOver({ engines: { journal, state } }: PantauFixture): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  const account = await new LocalAccountQueries(state).look();
  for (const { cursor: stage, stream, shard } of await journal.cursors()) {
    counted[`${stage} ${stream}/${shard}`] = account.passedOver({ stage, stream, shard }).setAside;
  }
  // The registry's own cursor only counts what it wrote.
  return Object.fromEntries(Object.entries(counted).filter(([name]) => !name.startsWith('settings ')));
}

async function toldOf(journal: Journal): Promise<string[]> {
  const places: string[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const { next } = await journal.extent('rejected', shard);
    for (let at = 0; at < next; at++) {
      const [entry] = await journal.read('rejected', shard, at, 1).catch(() => []);
      const { reason, detail, source } = (entry?.data ?? {}) as Partial<Rejection>;
      if (reason === 'handler_failed')
        places.push(
          `${/^(stage )?\w+/.exec(detail ?? '')?.[0] ?? ''} ${source?.stream ?? ''}/${source?.shard ?? ''}`,
        );
    }
  }
  return places;
}

describe('what nobody can read, in every shard of every stream', () => {
  it('stops no stage, no follower, no list and no check, and the good behind it is processed; after a restart, too', async () => {
    await using pantau = await new PantauFixture().start();
    const { journal } = pantau.engines;
    const stop = new AbortController();
    const alerts = followAlerts(pantau.engines, (line) => printed.push(line), stop.signal);
    try {
      await poison(journal);
      const device = await pantau.connect(DEVICE);
      await works(pantau, device, 1);
      await pantau.caughtUp();

      // Every stage, by the cursors that stand in the journal: all of the poison was set aside, and nothing else.
      const expected = Object.fromEntries(Object.keys(await passedOver(pantau)).map((name) => [name, KINDS]));
      expect(Object.keys(expected).length).toBeGreaterThan(10 * journal.shards);
      expect(await passedOver(pantau)).toEqual(expected);
      // Whoever set it aside says so, once; `rejected` is not told of itself.
      const followers = FOLLOWED.flatMap((stream) =>
        Array.from({ length: journal.shards }, (_, shard) => `broker ${stream}/${shard}`),
      );
      const stages = Object.keys(expected).filter((name) => !name.includes(' rejected/'));
      const tellers = [...followers, ...stages.map((name) => `stage ${name}`)];
      const all = tellers.flatMap((name) => Array<string>(KINDS).fill(name)).sort();
      await waitUntil('all of it is told', async () => (await toldOf(journal)).length >= all.length);
      expect((await toldOf(journal)).sort()).toEqual(all);

      expect(Object.keys(ANSWERS).sort()).toEqual([...READERS].sort());

      // Rows of the state that two of the threads read.
      await pantau.engines.state.write([
        { namespace: 'alerts/device-states', key: DEVICE, value: 'poison' },
        { namespace: 'gateway/devices', key: 'cctv-01', value: 'poison' },
      ]);
      await pantau.restart();
      const again = await pantau.connect(DEVICE);
      await works(pantau, again, 2);
      await pantau.caughtUp();
      for (const answer of new Set(Object.values(ANSWERS))) await answer(pantau);
      expect(await pantau.get('devices')).toMatchObject({ status: 200 });
      const metrics = await (await fetch(pantau.metrics)).text();
      for (const namespace of ['alerts/device-states', 'gateway/devices'])
        expect(metrics).toContain(`\npantau_state_unreadable_rows_total{namespace="${namespace}"} 1\n`);
      expect((await toldOf(journal)).sort()).toEqual(all);
      expect(await passedOver(pantau)).toEqual(expected);
    } finally {
      stop.abort();
      await alerts;
    }
  }, 120_000);
});
