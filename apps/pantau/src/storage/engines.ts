import { LocalBrokerQueries, type BrokerQueries } from '#libs/broker-state';
import { LocalAccountQueries, type AccountQueries } from '#libs/journal-transport-state';
import { BucketSource, EvidenceReader, LocalNeighbourQueries, type NeighbourQueries } from '#libs/evidence';
import {
  ServiceAccounts,
  Administration,
  Audit,
  DeviceCredentials,
  DeviceTokens,
  ProvisioningKeys,
  Registry,
  SecondFactor,
  Sessions,
  Tokens,
  Users,
} from '#libs/identity';
import { LmdbJournal, LmdbStateStore, warnOfUnreadable } from '#libs/engine-lmdb';
import { LocalIngestQueries, type IngestQueries } from '#libs/ingest-state';
import type { Journal } from '#libs/journal';
import { PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import type { StateStore, UnreadableListener } from '#libs/state';
import type { TimeSeriesStore } from '#libs/timeseries';
import { join } from 'node:path';
import { indicators } from '../configuration/configured-indicators.js';
import { prepareDataFolder } from './data-folder.js';
import { storeMemory } from './store-memory.js';
import type { UnreadableRows } from '../processes/unreadable-rows.js';

/** The time of the machine: the one place where Pantau looks at a clock. */
// eslint-disable-next-line no-restricted-properties -- see above
export const systemClock: Clock = { now: () => Date.now() };

/** What several processes may open at once: journal, state and what rests on them. */
export interface Engines {
  readonly state: StateStore;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly credentials: DeviceCredentials;
  readonly tokens: Tokens;
  /** People, and who of them is signed in. */
  readonly users: Users;
  readonly sessions: Sessions;
  /** Who changed what. */
  readonly secondFactor: SecondFactor;
  readonly audit: Audit;
  readonly accounts: ServiceAccounts;
  readonly deviceTokens: DeviceTokens;
  readonly keys: ProvisioningKeys;
  /** Who may connect, with every change told to the brokers. */
  readonly administration: Administration;
  /** What ingest knows of the devices. */
  readonly broker: BrokerQueries;
  readonly account: AccountQueries;
  readonly neighbours: NeighbourQueries;
  readonly ingest: IngestQueries;
  /** Indicators from the evidence stage's state. */
  readonly evidence: EvidenceReader;
  /** How many rows of the state could not be read so far, by namespace. */
  readonly unreadableRows: UnreadableRows;
  /** For what cannot be read within a row. */
  readonly onUnreadable: UnreadableListener;
  close(): Promise<void>;
}

/** @throws PantauError `DATA_DIR_UNUSABLE` */
export async function openEngines(config: LoadedConfig, clock: Clock = systemClock): Promise<Engines> {
  prepareDataFolder(config.data);
  const unreadableRows: Record<string, number> = {};
  const onUnreadable: UnreadableListener = (namespace, key, cause) => {
    unreadableRows[namespace] = (unreadableRows[namespace] ?? 0) + 1;
    warnOfUnreadable(namespace, key, cause);
  };
  const state = LmdbStateStore.open(join(config.data, 'journal'), onUnreadable);
  const { shards, minFree } = config.journal;
  const journal = await LmdbJournal.open({ state, clock, shards, minFree });
  const registry = new Registry(state, { journal, clock });
  const credentials = new DeviceCredentials(state, clock);
  const accounts = new ServiceAccounts(state);
  const keys = new ProvisioningKeys(state, clock);
  const users = new Users(state, clock);
  const { sessionIdle: idleMs, sessionLifetime: lifetimeMs, secondFactor } = config.accounts;
  return {
    state,
    unreadableRows,
    onUnreadable,
    journal,
    registry,
    credentials,
    accounts,
    keys,
    deviceTokens: new DeviceTokens(state, credentials, clock),
    administration: new Administration({ registry, credentials, accounts, keys, journal, clock }),
    tokens: new Tokens(state, clock),
    users,
    secondFactor: new SecondFactor(state, clock, users),
    audit: new Audit(journal, state, clock),
    sessions: new Sessions(state, clock, users, { idleMs, lifetimeMs, secondFactor }),
    broker: new LocalBrokerQueries(state),
    account: new LocalAccountQueries(state),
    neighbours: new LocalNeighbourQueries(state),
    ingest: new LocalIngestQueries(state),
    evidence: new EvidenceReader(registry, new BucketSource(state), registry.settings, indicators(config)),
    async close() {
      await journal.close();
      await state.close();
    },
  };
}

/** Older readings than this the store may have deleted by now. */
export function storeKeepsFrom({ store: { retention } }: LoadedConfig): UtcMillis {
  return systemClock.now() - retention.raw;
}

/** @throws PantauError `STORE_UNAVAILABLE` when the embedded store is held by another process, `STORE_CONFIG` */
export async function openStore(config: LoadedConfig): Promise<TimeSeriesStore> {
  const { store, data } = config;
  // The drivers are heavy, and most commands need no store.
  const { retention } = store;
  if (store.engine === 'duckdb') {
    const { DuckDbStore } = await import('#libs/engine-duckdb');
    return DuckDbStore.open(join(data, 'readings.duckdb'), {
      ...{ retention, clock: systemClock, memoryBytes: storeMemory(config) },
    });
  }
  const { version, url, database, org, token, username, password, timeout } = store;
  if (version === 2 && (org === undefined || token === undefined)) {
    throw new PantauError('STORE_CONFIG', 'InfluxDB 2.x needs an organisation and a token.', {
      remedy: 'Set store.org and PANTAU_INFLUX_TOKEN.',
    });
  }
  const { InfluxStore } = await import('#libs/engine-influx');
  const credentials = { org, token, username, password };
  return new InfluxStore({ version, url, database, ...credentials, timeoutMs: timeout, retention });
}
