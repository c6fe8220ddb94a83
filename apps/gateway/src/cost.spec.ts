import 'reflect-metadata';
import { LocalBrokerQueries } from '#libs/broker-state';
import { DuckDbStore } from '#libs/engine-duckdb';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { addRow, bucketKey, BucketSource, EvidenceReader, LocalNeighbourQueries } from '#libs/evidence';
import {
  Administration,
  Audit,
  DeviceCredentials,
  permissionsOf,
  ProvisioningKeys,
  Registry,
  ServiceAccounts,
  Tokens,
} from '#libs/identity';
import { LocalIngestQueries } from '#libs/ingest-state';
import { DAY, HOUR, localDateOf, sortable } from '#libs/kernel';
import { createLogger } from '#libs/platform';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import type { AddressInfo } from 'node:net';
import type { GatewayDependencies } from './dependencies.js';
import { describeApi } from './describe-api.js';
import { gatewayApp } from './gateway.js';

const NOW = Date.UTC(2026, 0, 10);
const clock = { now: () => NOW };
/** Of each kind: some, and many more. */
const [FEW, MANY] = [40, 1_000];
const LIMIT = 2;
/** What a page may read more where there are many: names on both sides of one that is looked up, for instance. */
const MORE = 10;

const nameOf = (i: number): string => `d-${String(i).padStart(4, '0')}`;
/** Of the device whose own lists are asked for. */
const OWN = nameOf(7);

type Row = readonly [namespace: string, key: string, value: unknown];

/** Everything that a list may be of, so that each of them has many items. */
function rowsOf(i: number): readonly Row[] {
  const id = nameOf(i);
  const at = NOW - i * HOUR;
  const presence = { state: 'connected', cause: 'connect', session: 's', at: NOW, run: 'r', silenceMs: 1 };
  const alert = { alert: `r/${id}/${at}`, rule: 'r', since: at, at, phase: 'firing', kind: 'own' };
  const subject = { subject: { site: id, device: id }, severity: 'info', title: { id: 'R', en: 'R' } };
  const rule = { ruleVersion: 'v', detail: {}, value: 1 };
  const command = { name: 'reboot', params: null, expiresAt: 1, orderedBy: 'x' };
  const setAside = { sender: id, reason: 'not_mapped', detail: 'x', topic: 't', count: 1, firstAt: 1 };
  const sample = { lastAt: 1, sample: Buffer.from('1'), sampleBytes: 1, retain: false, reported: 1 };
  const day = localDateOf(NOW - i * DAY);
  const clockDay = { day, messages: 1, withoutTime: 0, wrong: 0, late: 0, skewMaxMs: null, skewMinMs: null };
  const hour = `pm25/${sortable(Math.floor(at / HOUR) * HOUR)}/${id}`;
  const bucket: number[] = [];
  addRow(bucket, NOW - HOUR, 0, i, [{ parameter: 'pm25', value: 12, flag: 1 }]);
  return [
    ['registry/sites', id, { id, name: 'S', district: 'Betung' }],
    ['registry/devices', id, { id, site: id, kind: 'air', name: 'D', intervalMs: HOUR }],
    ['gateway/devices', id, { lastSeen: NOW, presence: { ...presence, byShutdown: false } }],
    [
      'gateway/alerts',
      `${sortable(at)}/${alert.alert}`,
      { latest: { ...alert, ...subject, ...rule }, history: [] },
    ],
    ['gateway/commands', `${OWN}/${sortable(i)}`, { id, device: OWN, command, state: 'queued', history: [] }],
    ['gateway/rejected', `not_json/${id}`, { reason: 'not_json', device: id, count: 1, lastAt: NOW }],
    ['mqtt/set-aside', `${id}/x`, { ...setAside, ...sample }],
    ['ingest/clock', `${OWN}/${day}`, clockDay],
    ['evidence/device-hours', bucketKey(id, NOW - HOUR), bucket],
    ['evidence/disagreements', hour, true],
    ['evidence/judged-means', hour, [12, 3, 4, 50]],
    ['identity/accounts', id, { id, publish: [], subscribe: [] }],
  ];
}

/** The same thing, and how many rows or entries it gave. */
function counted<T extends object>(thing: T, methods?: readonly string[]) {
  let rows = 0;
  const proxy = new Proxy(thing, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== 'function' || methods?.includes(String(name)) === false)
        return typeof method === 'function' ? (method.bind(target) as unknown) : method;
      return async (...args: unknown[]) => {
        const found = (await method.apply(target, args)) as unknown;
        rows += Array.isArray(found) ? found.length : 1;
        return found;
      };
    },
  });
  return { of: proxy, rows: () => rows };
}

interface Cost {
  readonly items: number;
  readonly rows: number;
}

/** What pages cost with so many items of each kind. */
async function costs(many: number, queries: readonly string[]): Promise<Map<string, Cost>> {
  using folder = temporaryFolder('cost');
  const store = LmdbStateStore.open(folder.path);
  const log = await LmdbJournal.open({ state: store, clock, shards: 1 });
  const readings = await DuckDbStore.open(`${folder.path}/readings.duckdb`);
  const rows = Array.from({ length: many }, (_, i) => rowsOf(i)).flat();
  await store.write(rows.map(([name, key, value]) => namespaceOf<unknown>(name).put(key, value)));
  const liveness = [{ from: NOW - 2 * DAY, to: NOW }];
  await store.write([namespaceOf<unknown>('evidence/liveness').put('r', liveness)]);
  const numbers = Array.from({ length: many }, (_, i) => i);
  const refused = { reason: 'not_json', detail: 'x', receivedAt: NOW, device: OWN, count: 1 } as const;
  await log.append(
    'rejected',
    numbers.map(() => ({ key: OWN, data: refused })),
  );
  const reading = { readings: [{ parameter: 'pm25' as const, value: 12, flag: 1 as const }] };
  await readings.write(
    numbers.map((i) => ({ site: nameOf(i), device: nameOf(i), ts: NOW - i, receivedAt: NOW, ...reading })),
  );

  const { settings } = new Registry(store, { journal: log, clock });
  const mappings = numbers.map((i) => ({
    id: nameOf(i),
    pattern: `${nameOf(i)}/{device}`,
    codec: 'tasmota',
  }));
  // Each change keeps what held before.
  for (let changes = 0; changes < many / 20; changes++)
    await settings.declare('mappings', mappings.slice(changes));

  const [state, journal, points] = [
    counted<LmdbStateStore>(store),
    counted(log, ['read', 'readBackwards']),
    counted(readings),
  ];
  const tokens = new Tokens(state.of, clock);
  const registry = new Registry(state.of);
  const accounts = new ServiceAccounts(state.of);
  const credentials = new DeviceCredentials(state.of, clock);
  const keys = new ProvisioningKeys(state.of, clock);
  const audit = new Audit(journal.of, state.of, clock);
  const by = { kind: 'user', name: 'ani' } as const;
  const done = { at: NOW, by, from: 'x', action: 'x', on: {}, result: 'done', status: 200 } as const;
  // Under the key of the audit log.
  await audit.record(done);
  const [{ key } = { key: '' }] = await log.read('audit', 0, 0, 1);
  await log.append(
    'audit',
    numbers.map(() => ({ key, data: done })),
  );
  const known = { journal: journal.of, state: state.of, clock, tokens, registry, accounts, audit };
  const app = await gatewayApp(
    {
      ...{ ...known, store: points.of, evidence: new EvidenceReader(registry, new BucketSource(state.of)) },
      ...{ broker: new LocalBrokerQueries(state.of), neighbours: new LocalNeighbourQueries(state.of) },
      ingest: new LocalIngestQueries(state.of),
      administration: new Administration({ ...known, credentials, keys }),
      presencePolicy: { graceMs: 1, brokerSilenceMs: 1 },
    } as unknown as GatewayDependencies,
    { trustProxy: [], logger: createLogger('silent', 'spec') },
  );
  await app.listen(0, '127.0.0.1');
  try {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const token = await tokens.create('spec', permissionsOf('administrator', 'token'));
    const headers = { authorization: `Bearer ${token}` };
    const ask = async (query: string): Promise<{ items?: unknown[]; counts?: unknown[] }> => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${query}&limit=${LIMIT}`, { headers });
      const body = (await answer.json()) as { items?: unknown[]; counts?: unknown[]; next?: string };
      if (answer.status !== 200) throw new Error(JSON.stringify(body));
      // The cursors of all lists are of one kind, and opaque.
      if (body.next !== undefined)
        expect([query, Buffer.from(body.next, 'base64url').toString()]).toEqual([
          query,
          expect.stringMatching(/^\[.*\]$/),
        ]);
      return body;
    };
    const found = new Map<string, Cost>();
    for (const query of queries) {
      // What follows from the registry alone is made once, and not by every question.
      await ask(query);
      const read = () => state.rows() + journal.rows() + points.rows();
      const before = read();
      const { items = [], counts = [] } = await ask(query);
      found.set(query, { items: items.length, rows: read() - before - counts.length });
    }
    return found;
  } finally {
    await app.close();
    await readings.close();
    await log.close();
    await store.close();
  }
}

/** Every list of the document, with what it asks for. */
async function listsOf(): Promise<string[]> {
  interface Parameter {
    readonly name: string;
    readonly required?: boolean;
  }
  const given: Readonly<Record<string, string>> = {
    from: new Date(NOW - 30 * DAY).toISOString(),
    to: new Date(NOW + DAY).toISOString(),
  };
  const { paths } = await describeApi();
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const parameters = (get?.parameters ?? []) as readonly Parameter[];
    if (!parameters.some(({ name }) => name === 'limit')) return [];
    const query = parameters.flatMap(({ name, required }) =>
      required === true && given[name] !== undefined ? [`${name}=${given[name]}`] : [],
    );
    return [`${path.replace('/api/v1/', '').replace('{device}', OWN)}?${query.join('&')}`];
  });
}

describe('a page of a list', () => {
  it('costs what it shows, however much there is, for each list of the document', async () => {
    const queries = [
      ...(await listsOf()),
      ...['devices?state=unknown', 'devices?from=2026-01-01T00:00:00Z', 'devices?kind=air'],
      ...['sites?district=Betung', 'foreign-topics?reason=not_mapped', `rejected?device=${OWN}`],
      ...['indicators?indicator=env.aq.pm25_daily_mean', `indicators?device=${OWN}`],
      `devices?after=${Buffer.from('["d-0030"]').toString('base64url')}`,
    ];
    expect(queries.length).toBeGreaterThan(20);
    const few = await costs(FEW, queries);
    const many = await costs(MANY, queries);
    const without = queries.filter((query) => many.get(query)?.items !== LIMIT);
    // It reported once.
    expect(without).toEqual([`indicators?device=${OWN}`]);
    const grown = queries.filter((query) => many.get(query)!.rows > few.get(query)!.rows + MORE);
    expect(grown.map((query) => [query, few.get(query), many.get(query)])).toEqual([]);
  }, 60_000);
});
