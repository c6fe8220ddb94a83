import type { ServiceAccounts, DeviceCredentials, DeviceTokens, Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import type { Clock, Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import type { TopicMappings } from '#libs/telemetry';
import type { ListenerKind, TlsFiles } from './door/listeners.js';
import type { Limits } from './limits.js';

export interface BrokerOptions {
  readonly host: string;
  /** Port by kind of listener; 0 takes a free one; a kind without a port is off. */
  readonly ports: Readonly<Partial<Record<ListenerKind, number>>>;
  readonly tls: TlsFiles | undefined;
  readonly webSocketPath: string;
  readonly trustedProxies: readonly string[];
  /** Larger payloads are acknowledged and set aside in `rejected`. */
  readonly maxPayloadBytes: number;
  readonly limits: Limits;
  readonly livenessBeatMs: Millis;
  /** Topics of other makers' devices. */
  readonly mappings: TopicMappings;
  /** What becomes of a device that publishes on somebody else's topic; `ignore` when not given. */
  readonly deny?: 'ignore' | 'disconnect';
  /** How often refusals are written down; a second when not given. */
  readonly refusalsEveryMs?: Millis;
  /** How often sessions that expired are looked for; an hour when not given. */
  readonly forgetsEveryMs?: Millis;
}

export interface BrokerDependencies {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  readonly accounts: ServiceAccounts;
  readonly credentials: DeviceCredentials;
  readonly tokens: DeviceTokens;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether devices can be heard by every other way in; true where there is none. */
  readonly othersListen?: () => boolean | Promise<boolean>;
}
