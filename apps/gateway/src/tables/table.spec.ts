import 'reflect-metadata';
import { DuckDbStore } from '#libs/engine-duckdb';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { permissionsOf, Registry, Tokens } from '#libs/identity';
import { MINUTE } from '#libs/kernel';
import { createLogger } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import type { Point, PointQuery } from '#libs/timeseries';
import { DuckDBInstance } from '@duckdb/node-api';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GatewayDependencies } from '../dependencies.js';
import { gatewayApp } from '../gateway.js';
import { parquetOf } from './parquet.js';

const NOW = Date.UTC(2026, 0, 10);
const clock = { now: () => NOW };
const DEVICES = 10;
const INSTANTS = 20_000;
const PAGE = 10_000;
/** Bytes: some pages as points, as items and as text, on both sides of the socket. All of them take more than 100 MB. */
const MOST_HELD = 32e6;

interface Serving {
  readonly ask: (query: string, token?: string) => Promise<IncomingMessage>;
  readonly json: (query: string) => Promise<{ items: Record<string, unknown>[]; next?: string }>;
  /** Points that the store gave so far. */
  readonly given: () => number;
  /** The most memory that was held at the end of a page since this was asked last. */
  readonly peak: () => number;
  readonly folder: string;
  readonly end: () => Promise<void>;
}

/** The API over a store of two hundred thousand readings. */
async function serving(folder: string): Promise<Serving> {
  const state = LmdbStateStore.open(join(folder, 'state'));
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const store = await DuckDbStore.open(join(folder, 'readings.duckdb'));
  for (let i = 0; i < INSTANTS; i += 500) {
    const observations = Array.from({ length: 500 * DEVICES }, (_, n) => {
      const ts = NOW - (1 + i + Math.floor(n / DEVICES)) * MINUTE;
      const readings = [{ parameter: 'pm25' as const, value: n / 7, flag: 1 as const }];
      return { site: 'betung', device: `udara-${n % DEVICES}`, ts, receivedAt: ts + 1, readings };
    });
    await store.write(observations);
  }
  let given = 0;
  let most = 0;
  const counted = {
    ...{ description: '', close: () => store.close(), count: (query: PointQuery) => store.count(query) },
    query: async (query: PointQuery): Promise<Point[]> => {
      const points = await store.query(query);
      given += points.length;
      if (query.limit > PAGE) most = Math.max(most, held());
      return points;
    },
  };
  const tokens = new Tokens(state, clock);
  const registry = new Registry(state);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  await registry.putDevice({
    id: 'udara-3',
    site: 'betung',
    kind: 'air',
    name: 'Udara 3',
    intervalMs: MINUTE,
  });
  const known = { journal, state, clock, tokens, registry, evidence: { definitions: [] } };
  const app = await gatewayApp({ ...known, store: counted } as unknown as GatewayDependencies, {
    ...{ trustProxy: [], logger: createLogger('silent', 'spec') },
  });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const right = await tokens.create('spec', permissionsOf('viewer', 'token'));
  const ask = (query: string, token = right): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      httpRequest(`http://127.0.0.1:${port}/api/v1/${query}`, { headers }, resolve).on('error', reject).end();
    });
  return {
    ...{ ask, folder, given: () => given },
    peak: () => {
      const before = most;
      most = 0;
      return before;
    },
    json: async (query) => JSON.parse(await textOf(await ask(query))),
    end: async () => {
      await app.close();
      await store.close();
      await journal.close();
      await state.close();
    },
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** Bytes that are held, on the heap and beside it: what is garbage does not count. */
function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const ALL = 'readings?format=csv&from=2025-12-01T00:00:00Z&to=2026-02-01T00:00:00Z';

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Points that the store has given when it is asked for no more, however many other requests are answered meanwhile. */
async function stands({ given, json }: Serving): Promise<number> {
  for (let before = -1; ;) {
    for (let i = 0; i < 20; i++) await json('sites');
    if (given() === before) return before;
    before = given();
  }
}

describe('readings as a file', () => {
  const folder = temporaryFolder('table');
  let api: Serving;
  beforeAll(async () => {
    api = await serving(folder.path);
  }, 120_000);
  afterAll(async () => {
    await api.end();
    folder[Symbol.dispose]();
  });

  it('come as they are in JSON, whole, with a last line that tells so', async () => {
    const query = 'readings?device=udara-3&order=asc';
    const { items } = await api.json(`${query}&limit=100`);
    const answer = await api.ask(`${query}&format=csv`);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="pantau-readings.csv"',
    });
    const file = await textOf(answer);
    const [head = '', ...lines] = file.trimEnd().split('\r\n');
    const last = lines.pop();
    const names = head.split(',');
    const rows = lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell])));
    expect(rows).toHaveLength(INSTANTS);
    for (const [i, { site, device, parameter, ts, value, unit, flag, receivedAt }] of items.entries())
      expect(rows[i]).toMatchObject({
        ...{ site, device, parameter, ts, unit, receivedAt },
        ...{ value: String(value), flag: String(flag) },
      });
    const hash = createHash('sha256')
      .update(file.slice(0, file.lastIndexOf('#end')))
      .digest('hex');
    expect(last).toContain(
      `#end rows=${INSTANTS} sha256=${hash} from=2025-12-10T00:00:00.000Z to=2026-01-10T00:00:00.000Z`,
    );
  });

  describe.each(['csv', 'parquet'])('as %s', (format) => {
    const all = `readings?format=${format}&from=2025-12-01T00:00:00Z&to=2026-02-01T00:00:00Z`;

    it('take as little memory for ten times as many, read slowly', async () => {
      const peakOf = async (query: string): Promise<number> => {
        api.peak();
        const before = held();
        const answer = await api.ask(query);
        let parts = 0;
        for await (const part of answer)
          if ((part as Buffer).length > 0 && parts++ % 200 === 0) await api.json('readings?limit=1');
        return api.peak() - before;
      };
      const peaks = [await peakOf(`${all}&device=udara-3`), await peakOf(all)];
      expect(Math.max(...peaks)).toBeLessThan(MOST_HELD);
    }, 120_000);
  });

  it('are not read on while nobody takes them, and are whole when somebody goes on', async () => {
    const before = api.given();
    const answer = await api.ask(ALL);
    const standing = await stands(api);
    // What the sockets of both sides hold is read by then, which may be half of it.
    expect(standing - before).toBeLessThan((DEVICES * INSTANTS * 9) / 10);
    answer.resume();
    await once(answer, 'end');
    expect(api.given() - before).toBe(DEVICES * INSTANTS + Math.ceil((DEVICES * INSTANTS) / PAGE) - 1);
  }, 120_000);

  it('stop being read when who asked has left', async () => {
    const before = api.given();
    // Four at a time: a fifth is let in only when one has ended.
    for (let i = 0; i < 5; i++) {
      const answer = await api.ask(ALL);
      expect(answer.statusCode).toBe(200);
      const closed = new Promise((resolve) => answer.once('close', resolve));
      answer.destroy();
      await closed;
      await stands(api);
    }
    expect(api.given() - before).toBeLessThan(DEVICES * INSTANTS);
  });
  it('are read on as Parquet only when the part before was taken, and no more when nobody wants the rest', async () => {
    const { items } = await api.json('readings?limit=1');
    let pages = 0;
    let isEnded = false;
    async function* endless(): AsyncGenerator<never[]> {
      try {
        for (; ; pages++) yield items as never[];
      } finally {
        isEnded = true;
      }
    }
    // As the API sends it.
    const stream = Readable.from(parquetOf(endless()), { highWaterMark: 1 });
    await once(stream, 'readable');
    for (let i = 0; i < 20; i++) await api.json('sites');
    expect(pages).toBeLessThan(4);
    stream.destroy();
    await once(stream, 'close');
    expect(isEnded).toBe(true);
  });

  it('come as Parquet, with the same rows', async () => {
    const answer = await api.ask('readings?device=udara-3&format=parquet');
    expect(answer.headers['content-type']).toBe('application/vnd.apache.parquet');
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    const file = join(folder.path, 'received.parquet');
    writeFileSync(file, Buffer.concat(parts));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const read = await connection.runAndReadAll(`SELECT count(*), min(ts), max(value) FROM '${file}'`);
    const [[count, oldest, largest] = []] = read.getRows();
    const { items } = await api.json('readings?device=udara-3&order=asc&limit=1');
    expect(Number(count)).toBe(INSTANTS);
    expect(new Date(Number(oldest)).toISOString()).toBe(items[0]!['ts']);
    expect(largest).toBe((499 * DEVICES + 3) / 7);
    connection.closeSync();
  });

  it('are refused as problems, in a form that is not there or over too long a time', async () => {
    for (const [query, field] of [
      ['readings?format=xlsx', 'format'],
      ['readings?format=csv&from=2020-01-01T00:00:00Z', 'to'],
      ['readings?from=2020-01-01T00:00:00Z', 'to'],
      ['sites?format=parquet', 'format'],
    ]) {
      const answer = await api.ask(query!);
      const problem = JSON.parse(await textOf(answer)) as { errors?: { field: string }[] };
      expect([query, answer.statusCode, problem.errors?.[0]?.field]).toEqual([query, 400, field]);
      expect(answer.headers['content-disposition']).toBeUndefined();
    }
  });
});
