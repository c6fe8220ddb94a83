import { MINUTE, PantauError } from '#libs/kernel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connectPacket, packet, text } from './packets.js';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** One connection each. `password` undefined connects anonymously. */
  readonly devices: readonly {
    readonly id: string;
    readonly topic: string;
    readonly password?: string | undefined;
  }[];
  /** Unacknowledged messages per connection. */
  readonly inFlight: number;
  readonly messages: number;
  /** Device time of the first message of each device, milliseconds; each next one is a minute later. */
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
const PAYLOAD = `{"ts":${TS_PLACEHOLDER},"values":{"pm25":37.51,"pm10":61.3,"temperature":28.4,"humidity":81.2}}`;
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
  const { devices, messages, inFlight } = options;
  const latencies: number[] = [];
  const connections = await Promise.all(devices.map((device) => open(options, device)));
  const share = Math.ceil(messages / devices.length);
  const startedAt = performance.now();
  await Promise.all(
    connections.map((connection) => drive(connection, share, inFlight, options.firstTs, latencies)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { socket } of connections) socket.end(Buffer.from([0xe0, 0]));
  latencies.sort((a, b) => a - b);
  const percentile = (p: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(p * latencies.length))] ?? 0;
  const acknowledged = share * devices.length;
  return {
    acknowledged,
    seconds,
    rate: acknowledged / seconds,
    ackLatencyMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly id: string;
  readonly template: Buffer;
  readonly messageIdAt: number;
  readonly tsAt: number;
}

async function open(
  { host, port }: LoadOptions,
  { id, topic, password }: LoadOptions['devices'][number],
): Promise<Connection> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  socket.write(connectPacket(id, password));
  const [connack] = (await once(socket, 'data')) as [Buffer];
  if (connack[0] !== 0x20 || connack[3] !== 0) {
    socket.destroy();
    throw new PantauError(
      'STORE_UNAVAILABLE',
      `the broker refuses ${id}, CONNACK code ${connack[3] ?? '?'}.`,
    );
  }
  const variable = Buffer.concat([text(topic), Buffer.alloc(2)]);
  const template = packet(0x32, Buffer.concat([variable, Buffer.from(PAYLOAD)]));
  const payloadAt = template.length - PAYLOAD.length;
  return {
    socket,
    id,
    template,
    messageIdAt: payloadAt - 2,
    tsAt: payloadAt + PAYLOAD.indexOf(TS_PLACEHOLDER),
  };
}

/** Keeps `inFlight` messages unacknowledged until `count` are acknowledged. */
function drive(
  { socket, id, template, messageIdAt, tsAt }: Connection,
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
    const send = (wanted: number): void => {
      const n = Math.min(wanted, count - sent);
      if (n <= 0) return;
      const now = performance.now();
      const chunk = Buffer.allocUnsafe(n * template.length);
      for (let i = 0; i < n; i++, sent++) {
        const at = i * template.length;
        template.copy(chunk, at);
        chunk.writeUInt16BE((sent % 65_535) + 1, at + messageIdAt);
        chunk.write(String(firstTs + sent * MINUTE), at + tsAt, 'latin1');
        sentAt[sent % inFlight] = now;
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
          `the connection of ${id} was lost after ${acknowledged} acknowledgements.`,
        ),
      );
    socket.once('close', lost);
    socket.once('error', lost);
    send(inFlight);
  });
}
