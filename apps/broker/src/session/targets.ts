import { MappingsInForce, type Registry } from '#libs/identity';
import type { RejectionReason, SetAsideReason, TopicMappings } from '#libs/telemetry';
import { foreignTopic, publishTarget, type MqttPrincipal, type PublishTarget } from './access.js';
import type { ClientSession } from './sessions.js';

/** A topic that is not its sender's. */
export interface ForeignTopic {
  readonly reason: SetAsideReason;
  readonly detail: string;
  readonly unknownName?: string;
  /** Whether writing to it costs the connection. */
  readonly isLoud: boolean;
}

/** What writing to a topic means. */
export type Target = PublishTarget | 'routed' | ForeignTopic;

/** Knows what writing to a topic means, and remembers it in the session. */
export class Targets {
  readonly #mappings: MappingsInForce;

  constructor(
    private readonly registry: Registry,
    mappings: TopicMappings,
    private readonly deny: 'ignore' | 'disconnect',
    /** Other mappings are in force: what sessions remember of topics may be wrong. */
    private readonly changed: () => void,
  ) {
    this.#mappings = new MappingsInForce(registry, mappings);
  }

  /** Takes the mappings that are in force. */
  async refresh(): Promise<void> {
    if (await this.#mappings.refresh()) this.changed();
  }

  /** Known topics and devices' own are decided at once, so that no message overtakes another on the way. */
  of(session: ClientSession, name: string): Target | Promise<Target> {
    return session.targets.get(name) ?? this.#decide(session, name);
  }

  #decide(session: ClientSession, name: string): Target | Promise<Target> {
    const { principal } = session;
    const target = publishTarget(principal, name, this.#mappings.current);
    return target === undefined ? this.#unknown(session, name) : this.#known(session, name, target);
  }

  /** A mapping of it may have been made a moment ago: what tells of it comes a little later. */
  async #unknown(session: ClientSession, name: string): Promise<Target> {
    await this.refresh();
    const target = publishTarget(session.principal, name, this.#mappings.current);
    return target === undefined ? this.#foreign(session.principal, name) : this.#known(session, name, target);
  }

  #known(
    session: ClientSession,
    name: string,
    target: NonNullable<ReturnType<typeof publishTarget>>,
  ): Target | Promise<Target> {
    const { principal } = session;
    if (target === 'routed') {
      session.targets.set(name, target);
      return target;
    }
    const { site, device: id, kind } = target;
    if (principal.kind === 'device' && site !== undefined) {
      const own: PublishTarget = { site, device: id, kind };
      session.targets.set(name, own);
      return own;
    }
    // An account's filter may be wider than the registry.
    return this.registry.device(id).then((device): Target | Promise<Target> => {
      if (device === undefined || (site ?? device.site) !== device.site)
        return this.#foreign(principal, name);
      const known: PublishTarget = { site: device.site, device: id, kind };
      session.targets.set(name, known);
      return known;
    });
  }

  /** Why a will must not be kept; nothing when it may. */
  async refusalOfWill(
    principal: MqttPrincipal,
    topic: string,
  ): Promise<{ readonly reason: RejectionReason; readonly detail: string } | undefined> {
    if (publishTarget(principal, topic, this.#mappings.current) !== undefined) return undefined;
    const foreign = await this.#foreign(principal, topic);
    const { reason, detail } = foreign;
    return reason === 'not_mapped' ? undefined : { reason, detail };
  }

  async #foreign(principal: MqttPrincipal, name: string): Promise<ForeignTopic> {
    const isRegistered = async (device: string): Promise<boolean> =>
      (await this.registry.device(device)) !== undefined;
    const foreign = await foreignTopic(principal, name, this.#mappings.current, isRegistered);
    return { ...foreign, isLoud: this.deny === 'disconnect' && foreign.reason === 'topic_not_allowed' };
  }
}
