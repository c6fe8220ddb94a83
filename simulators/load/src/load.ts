import { MINUTE, PantauError } from '#libs/kernel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connectPacket, packet, text } from './packets.js';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: readonly {
    readonly clientId: string;
    /** The client id when not given. */
    readonly username?: string;
    /** Undefined connects anonymously. */
    readonly password?: string | undefined;
    /** Published to in turn. */
    readonly topics: readonly string[];
  }[];
  /** Unacknowledged messages per connection. */
  readonly inFlight: number;
  readonly messages: number;
  /** Device time of the first message of each topic, milliseconds; each next one is a minute later. */
  readonly firstTs: number;
}

export interface LoadReport {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Acknowledged messages per second. */
  readonly rate: number;
  readonly ackLatencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Where the device time stands in the payload; 13 digits, so that it can be overwritten in place. */
const TS_PLACEHOLDER = '0000000000000';
const PAYLOAD = `{"ts":${TS_PLACEHOLDER},"values":{"pm25":37.51,"pm10":61.33,"temperature":28.45,"humidity":81.27}}`;
/** The last digits of the values. They change, because a value that stays is a fault, and costs what a fault costs. */
const DIGITS_AT = ['37.51', '61.33', '28.45', '81.27'].map(
  (value) => PAYLOAD.indexOf(value) + value.length - 1,
);
const TS_AT = PAYLOAD.indexOf(TS_PLACEHOLDER);
const DIGIT_ZERO = 0x30;
const PUBACK_BYTES = 4;
/** Latencies kept for the percentiles. */
const LATENCY_SAMPLES = 200_000;

/**
 * Loads a broker with QoS 1 publishes over raw sockets. MQTT packets are written by hand and patched in place, so that
 * the generator costs a fraction of what it measures. Every message is a telemetry message of its own.
 *
 * @throws PantauError `STORE_UNAVAILABLE` when a connection is refused or lost
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { messages, inFlight } = options;
  const latencies: number[] = [];
  const connections = await Promise.all(options.connections.map((connection) => open(options, connection)));
  const share = Math.ceil(messages / connections.length);
  const startedAt = performance.now();
  await Promise.all(
    connections.map((connection) => drive(connection, share, inFlight, options.firstTs, latencies)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { socket } of connections) socket.end(Buffer.from([0xe0, 0]));
  latencies.sort((a, b) => a - b);
  const percentile = (p: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(p * latencies.length))] ?? 0;
  const acknowledged = share * connections.length;
  return {
    acknowledged,
    seconds,
    rate: acknowledged / seconds,
    ackLatencyMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly clientId: string;
  readonly templates: readonly Buffer[];
}

async function open(
  { host, port }: LoadOptions,
  { clientId, username = clientId, password, topics }: LoadOptions['connections'][number],
): Promise<Connection> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  socket.write(connectPacket(clientId, password, 0, username));
  const closed = once(socket, 'close').then(() => {
    throw new PantauError('STORE_UNAVAILABLE', `the broker closes the connection of ${clientId} unanswered.`);
  });
  const [connack] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
  if (connack[0] !== 0x20 || connack[3] !== 0) {
    socket.destroy();
    throw new PantauError(
      'STORE_UNAVAILABLE',
      `the broker refuses ${clientId}, CONNACK code ${connack[3] ?? '?'}.`,
    );
  }
  const templates = topics.map((topic) =>
    packet(0x32, Buffer.concat([text(topic), Buffer.alloc(2), Buffer.from(PAYLOAD)])),
  );
  return { socket, clientId, templates };
}

/** Keeps `inFlight` messages unacknowledged until `count` are acknowledged. */
function drive(
  { socket, clientId, templates }: Connection,
  count: number,
  inFlight: number,
  firstTs: number,
  latencies: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let acknowledged = 0;
    let partial = 0;
    const sentAt = new Float64Array(inFlight);
    const templateOf = (message: number): Buffer => templates[message % templates.length] ?? Buffer.alloc(0);
    const send = (wanted: number): void => {
      const n = Math.min(wanted, count - sent);
      if (n <= 0) return;
      const now = performance.now();
      const messages = Array.from({ length: n }, (_, i) => templateOf(sent + i));
      const chunk = Buffer.allocUnsafe(messages.reduce((bytes, { length }) => bytes + length, 0));
      let at = 0;
      for (const template of messages) {
        template.copy(chunk, at);
        at += template.length;
        const payloadAt = at - PAYLOAD.length;
        const turn = Math.floor(sent / templates.length);
        chunk.writeUInt16BE((sent % 65_535) + 1, payloadAt - 2);
        chunk.write(String(firstTs + turn * MINUTE), payloadAt + TS_AT, 'latin1');
        for (const digitAt of DIGITS_AT)
          chunk[payloadAt + digitAt] = DIGIT_ZERO + ((turn * 7 + digitAt) % 10);
        sentAt[sent % inFlight] = now;
        sent++;
      }
      socket.write(chunk);
    };
    socket.on('data', (chunk: Buffer) => {
      // Nothing but PUBACKs arrives here, so counting bytes counts acknowledgements.
      const bytes = partial + chunk.length;
      const arrived = Math.floor(bytes / PUBACK_BYTES);
      partial = bytes % PUBACK_BYTES;
      if (latencies.length < LATENCY_SAMPLES)
        latencies.push(performance.now() - (sentAt[acknowledged % inFlight] ?? 0));
      acknowledged += arrived;
      if (acknowledged >= count) {
        socket.removeAllListeners('close');
        resolve();
      } else send(arrived);
    });
    const lost = (): void =>
      reject(
        new PantauError(
          'STORE_UNAVAILABLE',
          `the connection of ${clientId} was lost after ${acknowledged} acknowledgements.`,
        ),
      );
    socket.once('close', lost);
    socket.once('error', lost);
    send(inFlight);
  });
}
