import { follow, type SetAsideHandler, type Journal } from '#libs/journal';
import { SECOND, type Clock } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import {
  formatCommandTopic,
  formatConfigTopic,
  type CommandEvent,
  type CommandState,
  type ConfigurationChange,
} from '#libs/telemetry';
import type { Client } from 'aedes';

/** A command that is not over. */
interface Pending {
  readonly event: CommandEvent & { readonly command: NonNullable<CommandEvent['command']> };
  state: Extract<CommandState, 'queued' | 'sent' | 'delivered'>;
  /** The connection that it was sent to last, in this run. */
  sentTo?: Client;
}

/** What the broker lends to the downlinks. */
export interface DownlinkPort {
  /** The connection of a device that listens for its commands. */
  listener(device: string): Client | undefined;
  /** The QoS with which the connection wants messages of this topic. */
  grantedQos(client: Client, topic: string): 0 | 1 | 2;
  /** Whether the kept session of the connection has an unacknowledged message of this topic. */
  isQueued(client: Client, topic: string): boolean;
  /** Publishes a retained message to whoever may read it. */
  retain(topic: string, payload: Buffer): Promise<void>;
}

const EXPIRY_CHECK = SECOND;

/**
 * Brings commands and configurations from the journal to the devices. A command waits until its device listens, is sent
 * at QoS 1, and is delivered when the PUBACK is here; one that expires before is not sent any more. What becomes of it is
 * written to the same stream.
 */
export class Downlinks {
  readonly #pending = new Map<string, Pending>();
  /** Command by packet identifier, for each connection. */
  readonly #inFlight = new WeakMap<Client, Map<number, Pending>>();
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly port: DownlinkPort,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly setAside: SetAsideHandler,
  ) {}

  async start(): Promise<void> {
    const { signal } = this.#stop;
    const onError = (error: unknown): void => this.logger.error({ err: error }, 'downlinks wait');
    const common = { from: 'beginning', signal, setAside: this.setAside, onError } as const;
    await follow(this.journal, {
      ...common,
      stream: 'commands',
      handle: ({ data }) => this.#read(data),
    });
    await follow(this.journal, {
      ...common,
      stream: 'configurations',
      handle: ({ data }) => this.#retain(data),
    });
    this.#timer = setInterval(() => this.#expire(), EXPIRY_CHECK);
  }

  stop(): void {
    this.#stop.abort();
    clearInterval(this.#timer);
  }

  /** A device listens now: sends what waits for it. */
  listening(client: Client, device: string): void {
    for (const pending of this.#pending.values()) {
      const { id, site } = pending.event;
      if (pending.event.device !== device || pending.state === 'delivered') continue;
      // What is in a kept session is sent again by the session itself.
      const isOnItsWay =
        pending.sentTo === client || this.port.isQueued(client, formatCommandTopic(site, device, id));
      if (pending.state === 'queued' || !isOnItsWay) this.#send(client, pending);
    }
  }

  /** The packet identifier under which a command goes out. Called before Aedes gives it one. */
  sending(client: Client, topic: string, messageId: number): void {
    const id = topic.slice(topic.lastIndexOf('/') + 1);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    const inFlight = this.#inFlight.get(client) ?? new Map<number, Pending>();
    this.#inFlight.set(client, inFlight.set(messageId, pending));
  }

  /** Whether a command of this topic may still be sent. */
  isAlive(topic: string): boolean {
    const pending = this.#pending.get(topic.slice(topic.lastIndexOf('/') + 1));
    return pending !== undefined && pending.event.command.expiresAt > this.clock.now();
  }

  acknowledged(client: Client, messageId: number): void {
    const inFlight = this.#inFlight.get(client);
    const pending = inFlight?.get(messageId);
    if (inFlight === undefined || pending === undefined) return;
    inFlight.delete(messageId);
    if (pending.state === 'delivered') return;
    pending.state = 'delivered';
    this.#tell(pending, 'delivered');
  }

  #read(data: CommandEvent): void {
    if (data.command !== undefined) {
      const pending: Pending = { event: { ...data, command: data.command }, state: 'queued' };
      this.#pending.set(data.id, pending);
      const client = this.port.listener(data.device);
      if (client !== undefined) this.#send(client, pending);
      return;
    }
    const pending = this.#pending.get(data.id);
    // A device speaks for its own commands alone.
    if (pending?.event.device !== data.device) return;
    if (data.state !== 'sent' && data.state !== 'delivered') this.#pending.delete(data.id);
    else if (pending.state !== 'delivered') pending.state = data.state;
  }

  #send(client: Client, pending: Pending): void {
    const { id, site, device, command } = pending.event;
    if (command.expiresAt <= this.clock.now()) return;
    const { name, params, expiresAt } = command;
    const payload = JSON.stringify({ id, name, params, expiresAt: new Date(expiresAt).toISOString() });
    const isFirst = pending.state === 'queued';
    pending.state = 'sent';
    pending.sentTo = client;
    const topic = formatCommandTopic(site, device, id);
    client.publish(
      {
        cmd: 'publish',
        topic,
        payload: Buffer.from(payload),
        // A device that subscribed with QoS 0 acknowledges nothing; its result alone tells that the command arrived.
        qos: this.port.grantedQos(client, topic) === 0 ? 0 : 1,
        retain: false,
        dup: false,
      },
      (error) => {
        if (error instanceof Error) this.logger.warn({ device, command: id, err: error }, 'not sent');
      },
    );
    if (isFirst) this.#tell(pending, 'sent');
  }

  async #retain({ site, device, configuration }: ConfigurationChange): Promise<void> {
    const payload = configuration === null ? '' : JSON.stringify(configuration);
    await this.port.retain(formatConfigTopic(site, device), Buffer.from(payload));
  }

  #expire(): void {
    const now = this.clock.now();
    for (const [id, pending] of this.#pending) {
      if (pending.event.command.expiresAt > now) continue;
      this.#pending.delete(id);
      this.#tell(pending, 'expired');
    }
  }

  #tell({ event: { id, site, device } }: Pending, state: CommandState): void {
    const data: CommandEvent = { id, site, device, state, at: this.clock.now() };
    this.journal.append('commands', [{ key: device, data }]).catch((error: unknown) => {
      this.logger.error({ device, command: id, err: error }, 'the state of a command could not be recorded');
    });
  }
}
