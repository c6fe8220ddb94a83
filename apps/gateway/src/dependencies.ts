import type { AlertRule } from '#libs/alerting';
import type { PresencePolicy } from '#libs/availability';
import type { BrokerQueries } from '#libs/broker-state';
import type { EvidenceReader, NeighbourQueries, Recomputation, StoreCheck } from '#libs/evidence';
import type {
  Administration,
  Audit,
  DeviceTokens,
  Registry,
  ServiceAccounts,
  OpenIdSignIn,
  SecondFactor,
  Sessions,
  SignIn,
  Tokens,
  Users,
} from '#libs/identity';
import type { IngestQueries } from '#libs/ingest-state';
import type { Journal } from '#libs/journal';
import type { AccountQueries } from '#libs/journal-transport-state';
import type { Clock } from '#libs/kernel';
import type { Codec } from '#libs/telemetry';
import type { StateStore } from '#libs/state';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { brokerSchema } from './broker/broker-answer.js';
import type { Answer } from './http/answer.js';
import type { PublicAddress } from './http/cookie.js';
import type { Watched } from './health/watched.js';
import type { FullCheckJob } from './reconciliation/full-check-job.js';
import type { Keeping } from './storage/keeping.js';

export const DEPENDENCIES = Symbol('GatewayDependencies');

export interface GatewayDependencies {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  /** What the broker set aside. */
  readonly broker: BrokerQueries;
  /** What the stages counted. */
  readonly account: AccountQueries;
  /** What the evidence stage found by comparing devices. */
  readonly neighbours: NeighbourQueries;
  /** What ingest knows of the devices. */
  readonly ingest: IngestQueries;
  readonly store: TimeSeriesStore;
  /** Indicators from the evidence stage's state. */
  readonly evidence: EvidenceReader;
  /** Computes a figure again from the bytes of its devices, and compares its period with the store. */
  verify(
    indicator: string,
    subject: string,
    period: string,
  ): Promise<Recomputation & { readonly store: StoreCheck }>;
  /** Changes who may connect. */
  readonly administration: Administration;
  /** What is no device and may publish. */
  readonly accounts: ServiceAccounts;
  readonly fullCheck: FullCheckJob;
  readonly deviceTokens: DeviceTokens;
  /** Who may use the API: programs, and people. */
  readonly tokens: Tokens;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly secondFactor: SecondFactor;
  /** Where single sign-on is configured. */
  readonly openId: OpenIdSignIn | undefined;
  readonly audit: Audit;
  /** Where the API is seen from outside, if that differs from where it listens. */
  readonly publicUrl: PublicAddress | undefined;
  /** The alert rules in force. */
  readonly rules: readonly AlertRule[];
  /** Where Pantau listens for devices. */
  readonly brokerListeners: Answer<typeof brokerSchema>['listeners'];
  /** How long what is there stays. */
  readonly keeping: Keeping;
  /** Of other makers' messages, by name. */
  readonly codecs: ReadonlyMap<string, Codec>;
  readonly presencePolicy: PresencePolicy;
  readonly clock: Clock;
  /** What should run, for health. */
  readonly watched: Watched;
}
