import 'reflect-metadata';
import { LocalBrokerQueries } from '#libs/broker-state';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { LocalNeighbourQueries } from '#libs/evidence';
import { permissionsOf, Registry, Tokens } from '#libs/identity';
import { createLogger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import type { AddressInfo } from 'node:net';
import type { GatewayDependencies } from './dependencies.js';
import { gatewayApp } from './gateway.js';

const NOW = Date.UTC(2026, 0, 10);
const clock = { now: () => NOW };
/** Of each kind. */
const MANY = 1_000;
const LIMIT = 2;
/** What so few items may rest on, with the token and the names that the guards look up. */
const ROWS = 60;

const nameOf = (i: number): string => `d-${String(i).padStart(4, '0')}`;

const ROWS_OF_EACH: Readonly<Record<string, (id: string) => object>> = {
  'registry/sites': (id) => ({ id, name: 'S', district: 'Betung' }),
  'registry/devices': (id) => ({ id, site: id, kind: 'air', name: 'D', intervalMs: 60_000 }),
  'gateway/devices': () => ({
    lastSeen: NOW,
    presence: {
      state: 'connected',
      cause: 'connect',
      session: 's',
      at: NOW,
      run: 'r',
      silenceMs: 1,
      byShutdown: false,
    },
  }),
  'mqtt/set-aside': (sender) => ({
    ...{ sender, reason: 'not_mapped', detail: 'x', topic: 't', count: 1, firstAt: 1, lastAt: 1 },
    ...{ sample: Buffer.from('1'), sampleBytes: 1, retain: false, reported: 1 },
  }),
};

/** The same store, and how many rows it gave. */
function counted(store: StateStore): { readonly state: StateStore; readonly rows: () => number } {
  let rows = 0;
  const state = new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        const found = await method.apply(target, args);
        rows += Array.isArray(found) ? found.length : 1;
        return found;
      };
    },
  });
  return { state, rows: () => rows };
}

describe('a list', () => {
  it('reads about as much as it shows, however much there is', async () => {
    using folder = temporaryFolder('cost');
    const store = LmdbStateStore.open(folder.path);
    const journal = await LmdbJournal.open({ state: store, clock, shards: 1 });
    const ids = Array.from({ length: MANY }, (_, i) => nameOf(i));
    for (const [name, row] of Object.entries(ROWS_OF_EACH)) {
      const namespace = namespaceOf<object>(name);
      await store.write(ids.map((id) => namespace.put(name === 'mqtt/set-aside' ? `${id}/x` : id, row(id))));
    }
    const { state, rows } = counted(store);
    const tokens = new Tokens(state, clock);
    const dependencies = {
      ...{ journal, state, clock, tokens, registry: new Registry(state), evidence: { definitions: [] } },
      ...{ broker: new LocalBrokerQueries(state), neighbours: new LocalNeighbourQueries(state) },
      presencePolicy: { graceMs: 1, brokerSilenceMs: 1 },
    };
    const app = await gatewayApp(dependencies as unknown as GatewayDependencies, {
      ...{ trustProxy: [], logger: createLogger('silent', 'spec') },
    });
    await app.listen(0, '127.0.0.1');
    try {
      const { port } = app.getHttpServer().address() as AddressInfo;
      const token = await tokens.create('spec', permissionsOf('administrator', 'token'));
      const headers = { authorization: `Bearer ${token}` };
      const costs: [string, number, number][] = [];
      for (const query of [
        ...['devices?', 'devices?state=unknown', 'devices?from=2026-01-01T00:00:00Z', 'devices?kind=air'],
        ...[
          'stations?',
          'sites?',
          'sites?district=Betung',
          'foreign-topics?',
          'foreign-topics?reason=not_mapped',
        ],
        `devices?after=${Buffer.from('["d-0900"]').toString('base64url')}`,
      ]) {
        const before = rows();
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${query}&limit=${LIMIT}`, { headers });
        const { items } = (await answer.json()) as { items: unknown[] };
        costs.push([query, items.length, rows() - before]);
      }
      expect(costs.filter(([, items, read]) => items !== LIMIT || read > ROWS)).toEqual([]);
    } finally {
      await app.close();
      await journal.close();
      await store.close();
    }
  });
});
