import { shardOf, type Clock } from '#libs/kernel';
import type { Client } from 'aedes';
import type { Audience } from '../delivery/audience.js';
import type { DirectPublish } from '../door/frame-guard.js';
import { EndedError } from '../session/aedes-client.js';
import type { DirectRoute, ClientSession, ClientSessions } from '../session/sessions.js';
import type { Acknowledgements } from './acknowledgements.js';
import type { UplinkBatcher } from './uplink-batcher.js';
import { UplinkTemplate } from './uplink-template.js';

/** Messages of a connection taken past Aedes at a time; beyond it Aedes takes them, which then stops reading. */
const MAX_DIRECT = 256;

/**
 * The short way of the packet that nearly all traffic consists of: QoS 1, on a topic that the session has written to
 * before and that nobody subscribes to, small, within the rate. It goes to the journal and is acknowledged like every
 * other, only without Aedes, which would route it to nobody. See docs/decisions/0006.
 */
export class DirectWay {
  constructor(
    private readonly options: { readonly shards: number; readonly maxPayloadBytes: number },
    private readonly broker: {
      readonly sessions: ClientSessions;
      readonly uplinks: UplinkBatcher;
      readonly acknowledgements: Acknowledgements;
      readonly clock: Clock;
      /** Known once the broker runs. */
      readonly audience: () => Audience | undefined;
    },
  ) {}

  /**
   * @param passed - PUBLISH packets of the connection that went to Aedes before this one
   * @returns whether it was taken; otherwise Aedes has to take it
   */
  take(client: Client, publish: DirectPublish, passed: number): boolean {
    const { sessions, uplinks, clock } = this.broker;
    const session = sessions.of(client);
    const arrival = sessions.arrivalOf(client);
    // Aedes stops reading from one that does not read its acknowledgements.
    if (session === undefined || arrival === undefined || arrival.delivery.isBackedUp) return false;
    // One that Aedes has yet to deal with must not be overtaken.
    if (session.settled !== passed || session.direct >= MAX_DIRECT) return false;
    const { bytes, topicAt, topicEnd, payloadAt, end } = publish;
    if (uplinks.isHolding || end - payloadAt > this.options.maxPayloadBytes) return false;
    const topic = bytes.toString('utf8', topicAt, topicEnd);
    const route = session.routes.get(topic) ?? this.#route(session, topic);
    if (route === undefined || !this.#isSilent(route, topic)) return false;
    const receivedAt = clock.now();
    if (!session.rate.tryTake(receivedAt) || !arrival.flow.takeDirectly(end - topicAt)) return false;
    session.direct++;
    uplinks.addDirect(client, route.template, receivedAt, publish);
    return true;
  }

  /** Those messages are durable, or cannot be. */
  settled(client: Client, messageIds: number[], error: Error | null, bytes: number): void {
    const { sessions, acknowledgements } = this.broker;
    sessions.arrivalOf(client)?.flow.directlyDone(bytes, messageIds.length);
    const session = sessions.of(client);
    if (session !== undefined) session.direct -= messageIds.length;
    if (error === null) acknowledgements.add(client.conn, messageIds);
    else client.emit('error', new EndedError('the message could not be taken', { cause: error }));
    session?.order.release();
  }

  /** The short way of a topic that the session has written to. */
  #route(session: ClientSession, topic: string): DirectRoute | undefined {
    const target = session.targets.get(topic);
    if (target === undefined || target === 'routed' || !this.broker.uplinks.takesDirectly) return undefined;
    const shard = shardOf(target.device, this.options.shards);
    const template = new UplinkTemplate(shard, { ...target, topic, session: session.id });
    const route = { template, silentAt: -1 };
    session.routes.set(topic, route);
    return route;
  }

  /** Whether nobody listens to the topic. */
  #isSilent(route: DirectRoute, topic: string): boolean {
    const audience = this.broker.audience();
    if (audience === undefined) return false;
    if (route.silentAt === audience.changes) return true;
    if (audience.isListening(topic)) return false;
    route.silentAt = audience.changes;
    return true;
  }
}
