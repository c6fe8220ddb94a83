import type { Logger } from '#libs/platform';
import type { RejectionReason } from '#libs/telemetry';
import type { Client } from 'aedes';
import type { Duplex } from 'node:stream';
import type { MqttPrincipal } from './access.js';
import type { Refusals } from '../refusals.js';
import type { ClientSessions } from './sessions.js';

/** QoS 2 messages of a client between PUBREC and PUBREL. */
export const MAX_INFLIGHT_QOS2 = 1_000;
/** Limits that Aedes watches over, by the message of its error. */
const AEDES_LIMITS: readonly (readonly [RegExp, string])[] = [
  [/too many levels/, 'topicLevels'],
  [/^maxInflightInbound/, `${MAX_INFLIGHT_QOS2} QoS 2 messages wait for their PUBREL`],
  [/^Client queue limit/, 'too many packets before CONNACK'],
  [/^Max payload size/, 'WebSocket frame size'],
];
/** Ends of connections that are no fault of what the client sent. */
const EXPECTED_ENDS = ['keep alive timeout', 'connection closed'];

/** Writes down what a client is refused, and ends connections. */
export class Expulsions {
  constructor(
    private readonly sessions: ClientSessions,
    private readonly refusals: Refusals,
    private readonly logger: Logger,
  ) {}

  /** The connection goes on. */
  refuse(principal: MqttPrincipal, reason: RejectionReason, detail: string, topic?: string): void {
    this.refusals.add({
      reason,
      detail,
      device: principal.id,
      ...(principal.kind === 'device' ? { site: principal.site } : {}),
      ...(topic === undefined ? {} : { topic }),
    });
  }

  limitExceeded(client: Client, detail: string): void {
    const session = this.sessions.of(client);
    if (session === undefined) this.refusals.add({ reason: 'limit_exceeded', detail });
    else this.refuse(session.principal, 'limit_exceeded', detail);
    this.expel(client, 'limit');
  }

  expel(client: Client, why: string): void {
    this.sessions.setEndCause(client, 'expelled');
    const session = this.sessions.of(client);
    if (session !== undefined && why === 'revoked') session.isRevoked = true;
    (client.conn as Duplex).destroy();
    // A limit is told as a refusal; told here as well, a flood would fill the log.
    const level = why === 'limit' ? 'debug' : 'info';
    this.logger[level]({ device: session?.principal.id, why }, 'disconnected by Pantau');
  }

  /** Aedes ended the connection because of an error. */
  ended(client: Client, error: Error): void {
    const session = this.sessions.of(client);
    const origin = session?.origin ?? this.sessions.arrivalOf(client)?.origin;
    const detail = `${error.message} (from ${origin?.address ?? '?'})`;
    this.logger.debug({ device: session?.principal.id, detail }, 'connection error');
    // Lost connections, and what Pantau or Aedes refused with a code, are told elsewhere.
    const {
      code = '',
      errorCode,
      returnCode,
    } = error as {
      readonly code?: unknown;
      readonly errorCode?: unknown;
      readonly returnCode?: unknown;
    };
    const isSaid = (code !== '' && !String(code).startsWith('WS_ERR_')) || errorCode !== undefined;
    if (isSaid || returnCode !== undefined || EXPECTED_ENDS.includes(error.message)) return;
    const limit = AEDES_LIMITS.find(([pattern]) => pattern.test(error.message))?.[1];
    if (session !== undefined) this.sessions.setEndCause(client, 'expelled');
    this.refusals.add({
      reason: limit === undefined ? 'malformed' : 'limit_exceeded',
      detail: limit === undefined ? detail : `${limit} (from ${origin?.address ?? '?'})`,
      ...(session === undefined ? {} : { device: session.principal.id }),
    });
  }
}
