import { PantauError, type Millis } from '#libs/kernel';
import { formatTopic, type TopicKind } from '#libs/telemetry';
import mqtt, { type MqttClient } from 'mqtt';

export interface MqttDeviceOptions {
  readonly id: string;
  readonly site: string;
  /** `mqtt://host:port` */
  readonly url: string;
  readonly password: string;
  /** Pause before it connects again. */
  readonly reconnectMs?: Millis;
  readonly keepAliveSeconds?: number;
}

const RECONNECT_MS = 500;
/** CONNACK codes after which trying again would not help: bad user name or password, not authorised. */
const REFUSALS: readonly unknown[] = [4, 5];

/**
 * A device as a real MQTT client: QoS 1, a session that survives a lost connection, a birth message and a last will. A message
 * counts as sent once its PUBACK is here; until then it is sent again, over lost connections and power cuts alike.
 */
export class MqttDevice {
  readonly id: string;
  /** Rejects when the broker refuses the credentials. Nobody has to wait for it. */
  readonly refused: Promise<never>;
  readonly #options: MqttDeviceOptions;
  #client: MqttClient | undefined;
  #connected = false;
  #aloneSince: number | undefined = performance.now();
  #lastError: Error | undefined;
  /** Whoever waits for a PUBACK of the client that is in use. */
  readonly #unacknowledged = new Set<(isAcknowledged: boolean) => void>();
  /** Resolves when there is power; undefined while there is. */
  #power: { readonly on: Promise<void>; readonly turnOn: () => void } | undefined;
  #ended = false;
  #refuse: (error: PantauError) => void = () => undefined;

  constructor(options: MqttDeviceOptions) {
    this.id = options.id;
    this.#options = options;
    this.refused = new Promise((_resolve, reject) => (this.#refuse = reject));
    this.refused.catch(() => undefined);
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** Milliseconds without a connection until now, its power cuts included; 0 while it has one. */
  get aloneFor(): Millis {
    return this.#aloneSince === undefined ? 0 : performance.now() - this.#aloneSince;
  }

  /** Why it could not connect the last time. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  get hasPower(): boolean {
    return this.#power === undefined;
  }

  /** Publishes, and resolves with the PUBACK. @returns false when the device was ended before */
  async publish(kind: TopicKind, payload: string | Buffer): Promise<boolean> {
    for (;;) {
      await this.#power?.on;
      const client = this.#client;
      if (this.#ended || client === undefined) return false;
      if (await this.#acknowledged(client, kind, payload)) return true;
    }
  }

  /**
   * @returns false when the client gave it up: MQTT.js sends again what it has sent, but not what is queued behind that when the
   *   connection is lost once more
   */
  #acknowledged(client: MqttClient, kind: TopicKind, payload: string | Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isAcknowledged: boolean): void => {
        this.#unacknowledged.delete(settle);
        resolve(isAcknowledged);
      };
      this.#unacknowledged.add(settle);
      client.publish(this.#topic(kind), payload, { qos: 1 }, (error) => settle(error == null));
    });
  }

  /** Gives up the client that is in use: MQTT.js tells those who wait for its acknowledgements nothing. */
  #giveUp(): void {
    this.#client?.end(true);
    for (const settle of [...this.#unacknowledged]) settle(false);
  }

  /** Takes the power away: the connection is lost in the middle of whatever it did, and the broker publishes the will. */
  powerOff(): void {
    if (this.#power !== undefined) return;
    let turnOn = (): void => undefined;
    const on = new Promise<void>((resolve) => (turnOn = resolve));
    this.#power = { on, turnOn };
    this.#disconnected();
    this.#giveUp();
  }

  powerOn(): void {
    if (this.#power === undefined || this.#ended) return;
    const { turnOn } = this.#power;
    this.#power = undefined;
    this.#connect();
    turnOn();
  }

  /** Says goodbye with a DISCONNECT, so that there is no will. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#power?.turnOn();
    if (this.#connected) await this.#client?.endAsync();
    else this.#client?.end(true);
  }

  /** Ends at once, as a lost device does. */
  destroy(): void {
    this.#ended = true;
    this.#power?.turnOn();
    this.#giveUp();
  }

  #disconnected(): void {
    this.#connected = false;
    this.#aloneSince ??= performance.now();
  }

  #topic(kind: TopicKind): string {
    return formatTopic({ site: this.#options.site, device: this.id, kind });
  }

  #connect(): void {
    const { id, url, password, reconnectMs = RECONNECT_MS, keepAliveSeconds = 60 } = this.#options;
    const client = mqtt.connect(url, {
      clientId: id,
      username: id,
      password,
      protocolVersion: 4,
      clean: false,
      reconnectPeriod: reconnectMs,
      keepalive: keepAliveSeconds,
      will: {
        topic: this.#topic('status'),
        payload: Buffer.from(JSON.stringify({ state: 'offline' })),
        qos: 1,
        retain: false,
      },
    });
    this.#client = client;
    client.on('error', (error) => {
      this.#lastError = error;
      if (REFUSALS.includes((error as { readonly code?: unknown }).code))
        this.#refuse(
          new PantauError('TOKEN_INVALID', `the broker refuses the credentials of ${id}.`, {
            remedy: 'Issue new ones: pantau device rotate.',
          }),
        );
    });
    client.on('close', () => {
      if (this.#client === client) this.#disconnected();
    });
    client.on('connect', () => {
      this.#connected = true;
      this.#aloneSince = undefined;
      // A birth message that is lost with its connection is followed by that of the next one.
      client.publish(this.#topic('status'), JSON.stringify({ state: 'online' }), { qos: 1 }, () => undefined);
    });
  }
}
