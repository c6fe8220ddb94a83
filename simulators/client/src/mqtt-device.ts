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
  /** Resolves when the client that is in use is given up: MQTT.js tells those who wait for its acknowledgements nothing. */
  #lost: { readonly promise: Promise<false>; readonly tell: () => void } = lostClient();
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

  get hasPower(): boolean {
    return this.#power === undefined;
  }

  /** Publishes, and resolves with the PUBACK. @returns false when the device was ended before */
  async publish(kind: TopicKind, payload: string): Promise<boolean> {
    for (;;) {
      await this.#power?.on;
      const client = this.#client;
      if (this.#ended || client === undefined) return false;
      try {
        const sent = client.publishAsync(this.#topic(kind), payload, { qos: 1 }).then(() => true);
        if (await Promise.race([sent, this.#lost.promise])) return true;
      } catch {
        // MQTT.js sends again what it has sent, but gives up what is queued behind that when the connection is lost once more.
      }
    }
  }

  /** Takes the power away: the connection is lost in the middle of whatever it did, and the broker publishes the will. */
  powerOff(): void {
    if (this.#power !== undefined) return;
    let turnOn = (): void => undefined;
    const on = new Promise<void>((resolve) => (turnOn = resolve));
    this.#power = { on, turnOn };
    this.#connected = false;
    this.#client?.end(true);
    this.#lost.tell();
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
    this.#client?.end(true);
    this.#lost.tell();
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
    this.#lost = lostClient();
    client.on('error', (error) => {
      if (REFUSALS.includes((error as { readonly code?: unknown }).code))
        this.#refuse(
          new PantauError('TOKEN_INVALID', `the broker refuses the credentials of ${id}.`, {
            remedy: 'Issue new ones: pantau device rotate.',
          }),
        );
    });
    client.on('close', () => {
      if (this.#client === client) this.#connected = false;
    });
    client.on('connect', () => {
      this.#connected = true;
      // A birth message that is lost with its connection is followed by that of the next one.
      client.publish(this.#topic('status'), JSON.stringify({ state: 'online' }), { qos: 1 }, () => undefined);
    });
  }
}

function lostClient(): { readonly promise: Promise<false>; readonly tell: () => void } {
  let tell = (): void => undefined;
  const promise = new Promise<false>((resolve) => (tell = () => resolve(false)));
  return { promise, tell };
}
