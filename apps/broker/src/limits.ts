import type { Millis, Rate } from '#libs/kernel';
import type { ArrivingLimits } from './door/arriving-bytes.js';
import type { QuotaLimits } from './quota.js';
import type { PersistenceBounds } from './delivery/persistence/state-persistence.js';

/** What one client may cost. Exceeding a limit harms the one who exceeds it and nobody else. */
export interface Limits {
  readonly connections: number;
  /** By IPv4 address or IPv6 /64 network. Mobile operators put many devices behind one address. */
  readonly connectionsPerAddress: number;
  /** Connections that have not sent their CONNECT yet, in total and by address. */
  readonly pending: number;
  readonly pendingPerAddress: number;
  readonly connectsPerAddress: Rate;
  /** Wrong passwords of an address; beyond them only passwords that were right before are looked at. */
  readonly authFailuresPerAddress: Rate;
  /** Refusals at the door that are written down one by one; those beyond the rate are counted together by reason. */
  readonly refusalEntries: Rate;
  /** A CONNECT, a TLS handshake or a PROXY header that is not here by then is not waited for. */
  readonly connectTimeoutMs: Millis;
  /** Of a device, over all its connections. Faster ones are read more slowly. */
  readonly messagesPerDevice: Rate;
  /** The same of a service account. */
  readonly messagesPerAccount: Rate;
  readonly topicLevels: number;
  readonly subscriptionsPerClient: number;
  /** Topics that are not its own, listed of one client; what comes on others is counted together. */
  readonly foreignTopicsPerClient: number;
  /** QoS 1 and 2 messages that were sent to a client and are not acknowledged. */
  readonly inflightMessagesPerClient: number;
  /**
   * A client is disconnected for which something waits, and which reads and acknowledges nothing for so long; and one that has
   * begun a packet of which no more comes for so long.
   */
  readonly stalledAfterMs: Millis;
  /** Bytes that wait in memory for a client; beyond them the oldest message goes. */
  readonly queuedBytesPerClient: number;
  /** Messages kept for a session that is away; the oldest go first. */
  readonly queuedMessagesPerClient: number;
  /** Keep-alive is moved into these bounds, also 0, which would mean never. */
  readonly minKeepAliveMs: Millis;
  readonly maxKeepAliveMs: Millis;
  /** Takeovers of one identity after which it counts as used by two; the newcomer then has to wait. */
  readonly takeovers: { readonly count: number; readonly withinMs: Millis; readonly holdMs: Millis };
  /** A session that has been away for longer is forgotten. */
  readonly sessionExpiryMs: Millis;
  /** What is kept for all clients of a principal, and in total. */
  readonly bounds: PersistenceBounds & {
    readonly waitingBytes: QuotaLimits;
    readonly topicCacheBytes: QuotaLimits;
    /** Before it is known whose they are. */
    readonly arrivingBytes: ArrivingLimits;
    /** Of packets that are not whole. */
    readonly unfinishedBytes: QuotaLimits;
    /** Of packets that are whole, until they are dealt with. */
    readonly inProgressBytes: QuotaLimits;
  };
}
