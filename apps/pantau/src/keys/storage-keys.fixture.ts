import { DAY, defined, HOUR, localDateOf, localDaySpan, messageOf, PantauError } from '#libs/kernel';
import { createLogger, type LoadedConfig } from '#libs/platform';
import { namespaceOf, waitUntil } from '#libs/testing';
import { aPoint, aRollup, observed } from '#contracts/timeseries';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareDataFolder } from '../storage/data-folder.js';
import { openEngines, openStore, type Engines } from '../storage/engines.js';
import { retain, startArchive } from '../storage/store-upkeep.js';
import { at, type Case, type Cases } from './keys.fixture.js';

const silent = createLogger('silent', 'test');

async function withOpened<T>(config: LoadedConfig, use: (engines: Engines) => T | Promise<T>): Promise<T> {
  const engines = await openEngines(config);
  try {
    return await use(engines);
  } finally {
    await engines.close();
  }
}

const codeOf = (error: unknown): string => (error instanceof PantauError ? error.code : String(error));

const STREAM = 'signals';
const entry = (i: number): { key: string; data: never } => ({
  key: `device-${i}`,
  data: { type: 'restart', at: i, text: 'x'.repeat(1_000) } as never,
});

/** How many of three entries retention leaves: none, one or two of them were read by a stage. */
const kept =
  (read: number) =>
  (config: LoadedConfig): Promise<number> =>
    withOpened(config, async (engines) => {
      const { journal } = engines;
      for (let i = 0; i < 3; i++) await journal.append(STREAM, [entry(i)]);
      for (let shard = 0; shard < journal.shards; shard++) {
        const { next } = await journal.extent(STREAM, shard);
        await journal.seek('a-stage', STREAM, shard, Math.min(next, read));
      }
      await delay(5);
      const store = await openStore(config);
      await retain(engines, store, config, silent);
      await store.close();
      return (await journal.stats()).find(({ stream }) => stream === STREAM)?.entries ?? 0;
    });

function retention(member: string, value: unknown, expected: Case['expected'], read = 3): Case {
  const of = (more: object): object => ({ journal: { shards: 1, retention: { [STREAM]: more } } });
  const others = member === 'unread' ? { maxAge: '1ms' } : {};
  return {
    ...{ beside: { pantau: of(others) }, written: { pantau: of({ ...others, [member]: value }) } },
    ...{ behaviour: kept(read), expected },
  };
}

/** What the store says to a reading and to roll-ups of three days ago. */
async function oldOnes(config: LoadedConfig): Promise<Record<string, string>> {
  prepareDataFolder(config.data);
  const store = await openStore(config);
  await store.setUp();
  const ts = Date.now() - 3 * DAY;
  const said = ({ refused }: { refused: readonly { message: string }[] }): string =>
    refused[0]?.message ?? 'kept';
  const answers = {
    raw: said(await store.write(observed(aPoint({ ts })))),
    hour: said(await store.writeRollups([aRollup({ tier: 'hour', from: ts })])),
    day: said(await store.writeRollups([aRollup({ tier: 'day', from: ts })])),
  };
  await store.close();
  return answers;
}

function tier(name: 'raw' | 'hour' | 'day'): Case {
  const all = { raw: 'kept', hour: 'kept', day: 'kept' };
  return {
    written: { pantau: { store: { engine: 'duckdb', retention: { [name]: '2d' } } } },
    behaviour: oldOnes,
    expected: [all, { ...all, [name]: 'beyond the retention of 2d' }],
  };
}

const NO_PORT = ':1/';

/** What InfluxDB hears when a reading is written: it listens in the place of port 1. */
async function heard(config: LoadedConfig, isSilent = false): Promise<object> {
  const requests: Record<string, string>[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ');
    requests.push({
      path: pathname,
      ...Object.fromEntries(searchParams),
      ...(scheme === 'Basic' ? { basic: Buffer.from(credentials, 'base64').toString() } : {}),
      ...(scheme === 'Token' ? { token: credentials } : {}),
    });
    request.resume();
    if (!isSilent) response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const store = { ...config.store } as { url: string };
  store.url = store.url.replace(NO_PORT, `:${port}/`);
  const opened = await openStore({ ...config, store: store as never });
  try {
    const outcome = await Promise.race([
      opened.write(observed(aPoint())).then(() => 'written', messageOf),
      delay(400, 'still waits'),
    ]);
    const { path, bucket, db, org, token, basic } =
      requests.find((request) => request['path']?.endsWith('/write')) ?? requests[0] ?? {};
    return { ...defined({ path, bucket, db, org, token, basic }), outcome: outcome.slice(0, 20) };
  } finally {
    server.closeAllConnections();
    server.close();
    await opened.close();
  }
}

const V2 = { engine: 'influxdb', version: 2, url: `http://127.0.0.1${NO_PORT}`, org: 'o', token: 't' };
const V1 = { engine: 'influxdb', version: 1, url: V2.url, username: 'u', password: 'p' };
const HEARD_2 = { path: '/api/v2/write', bucket: 'pantau', org: 'o', token: 't', outcome: 'written' };
const HEARD_1 = { path: '/write', db: 'pantau', basic: 'u:p', outcome: 'written' };

function influx(base: object, member: string, value: unknown, before: object, change: object): Case {
  const store = (of: object): Case['written'] => ({ pantau: { store: of } });
  return {
    ...{ beside: store(base), written: store({ ...base, [member]: value }) },
    ...{ behaviour: (config) => heard(config), expected: [before, { ...before, ...change }] },
  };
}

/** The files of the archive, once it has looked: there are readings of three and of forty days ago. */
async function archived(config: LoadedConfig, folder: string): Promise<readonly string[]> {
  return withOpened(config, async (engines) => {
    await engines.registry.putSite({ id: 'betung', name: 'Betung' });
    const device = { id: 'udara-01', site: 'betung', kind: 'air', name: 'U', intervalMs: 60_000 } as const;
    await engines.registry.putDevice(device);
    const store = await openStore(config);
    const points = [3, 40].map((days) => aPoint({ ts: Date.now() - days * DAY }));
    await store.write(observed(...points));
    for (const { ts } of points)
      await engines.state.write([namespaceOf<number>('archive/days').put(`${localDateOf(ts)}/0`, 1)]);
    let isOver = false;
    const logger = Object.assign(Object.create(silent) as typeof silent, {
      info: () => void (isOver = true),
    });
    const close = startArchive(engines, store, config, logger);
    if (config.archive !== undefined) await waitUntil('days are archived', () => isOver);
    await close();
    await store.close();
    return ['data/archive', 'data/other']
      .map((name) => join(folder, name))
      .filter((path) => existsSync(path))
      .flatMap((path) => readdirSync(path).map((name) => `${basename(path)}: ${daysAgo(name)} days ago`))
      .sort();
  });
}

function daysAgo(file: string): number {
  const { from = 0 } = localDaySpan(basename(file, '.parquet')) ?? {};
  return Math.floor((Date.now() - from) / DAY);
}

const archive = (member: string, value: unknown, after: readonly string[]): Case => ({
  ...{ beside: { pantau: { archive: {} } }, written: { pantau: { archive: { [member]: value } } } },
  ...{ behaviour: archived, expected: [['archive: 3 days ago', 'archive: 40 days ago'], after] },
});

/** Whether a session that makes requests every few hours still holds after some of them. */
const session = (of: object, everyHours: number, hours: number, expected: Case['expected']): Case => ({
  ...{ written: { pantau: { accounts: of } }, expected },
  async behaviour(config) {
    let now = Date.now();
    const engines = await openEngines(config, { now: () => now });
    try {
      const { sessions, users } = engines;
      await users.put('ani', { role: 'operator', disabled: false });
      const { cookie } = await sessions.begin(await users.get('ani'), { address: '', agent: '' });
      let holds = true;
      for (let hour = 0; hour < hours && holds; hour += everyHours) {
        now += everyHours * HOUR;
        holds = (await sessions.verify(cookie)) !== undefined;
      }
      return holds;
    } finally {
      await engines.close();
    }
  },
});

const ACCEPTED = 'accepted';
const [one, none] = [1, 0];

/** The keys `data`, and of the sections `journal`, `store`, `archive` and `accounts`. */
export const STORAGE: Cases = {
  data: {
    written: { pantau: { data: '{folder}/other' } },
    behaviour: (config, folder) =>
      withOpened(config, () => ['data', 'other'].filter((name) => existsSync(join(folder, name, 'journal')))),
    expected: [['data'], ['other']],
  },
  'journal.shards': {
    written: { pantau: at('journal.shards', 7) },
    behaviour: (config) => withOpened(config, ({ journal }) => journal.shards),
    expected: [4, 7],
  },
  'journal.minFree': {
    written: { pantau: at('journal.minFree', 1e15) },
    behaviour: (config) =>
      withOpened(config, async ({ journal }) => {
        // Looks at the disk, as is done every second.
        await journal.space();
        const data = { topic: 't', payload: Buffer.from('x') } as never;
        return journal.append('uplink', [{ key: 'a', data }], { yields: true }).then(() => ACCEPTED, codeOf);
      }),
    expected: [ACCEPTED, 'JOURNAL_FULL'],
  },
  'journal.retention.{}.maxAge': retention('maxAge', '1ms', [3, none]),
  'journal.retention.{}.maxBytes': retention('maxBytes', 1_500, [3, one]),
  'journal.retention.{}.unread': retention('unread', 'drop', [2, none], one),
  'store.engine': {
    beside: { pantau: { store: { engine: 'duckdb' } } },
    written: { pantau: { store: V2 } },
    behaviour: async (config) => {
      prepareDataFolder(config.data);
      const store = await openStore(config);
      await store.close();
      return store.description.split(' ')[0];
    },
    expected: ['duckdb', 'influxdb'],
  },
  'store.retention.raw': tier('raw'),
  'store.retention.hour': tier('hour'),
  'store.retention.day': tier('day'),
  'store.version': {
    ...influx({ ...V2, username: 'u', password: 'p' }, 'version', 1, HEARD_2, {}),
    expected: [HEARD_2, HEARD_1],
  },
  'store.url': influx(V2, 'url', `${V2.url}proxy`, HEARD_2, { path: '/proxy/api/v2/write' }),
  'store.database': influx(V2, 'database', 'other', HEARD_2, { bucket: 'other' }),
  'store.org': influx(V2, 'org', 'other', HEARD_2, { org: 'other' }),
  'store.token': influx(V2, 'token', 'other', HEARD_2, { token: 'other' }),
  'store.username': influx(V1, 'username', 'other', HEARD_1, { basic: 'other:p' }),
  'store.password': influx(V1, 'password', 'other', HEARD_1, { basic: 'u:other' }),
  'store.timeout': {
    ...influx(V1, 'timeout', '20ms', HEARD_1, {}),
    behaviour: (config) => heard(config, true),
    expected: [
      expect.objectContaining({ outcome: 'still waits' }),
      expect.objectContaining({ outcome: expect.not.stringContaining('still') }),
    ],
  },
  'accounts.sessionIdle': session({ sessionIdle: '10h' }, 9, 9, [false, true]),
  'accounts.sessionLifetime': session({ sessionLifetime: '1d' }, 4, 48, [true, false]),
  'accounts.secondFactor': {
    written: { pantau: { accounts: { secondFactor: ['operator'] } } },
    behaviour: (config) =>
      withOpened(config, async ({ sessions, users }) => {
        await users.put('ani', { role: 'operator', disabled: false });
        return (await sessions.begin(await users.get('ani'), { address: '', agent: '' })).session
          .secondFactor;
      }),
    expected: ['none', 'missing'],
  },
  'archive.folder': archive('folder', 'other', ['other: 3 days ago', 'other: 40 days ago']),
  'archive.after': archive('after', '10d', ['archive: 40 days ago']),
};
