import { MINUTE, PantauError } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
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
  /** What each message states; what a low-cost sensor measures when not given. */
  readonly parameters?: readonly MeasuredParameter[];
  /** Unacknowledged messages per connection. */
  readonly inFlight: number;
  /** Messages per second of all connections together; as many as are acknowledged when not given. */
  readonly perSecond?: number;
  readonly messages: number;
  /** Device time of the first message of each topic, milliseconds, 13 digits; each next one is a minute later. */
  readonly firstTs: number;
}

export interface LoadReport {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Acknowledged messages per second. */
  readonly rate: number;
  readonly ackLatencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Before the device time of 13 digits, which is overwritten in place. */
const BEFORE_TS = '{"ts":';
/** A value of each parameter. Its last digit changes, because a value that stays is a fault, and costs what a fault costs. */
const VALUES: Readonly<Record<MeasuredParameter, string>> = {
  pm25: '37.51',
  pm10: '61.33',
  so2: '21.42',
  no2: '17.26',
  co: '843',
  o3: '44.18',
  hc: '12.64',
  temperature: '28.45',
  humidity: '81.27',
};
const LOW_COST: readonly MeasuredParameter[] = ['pm25', 'pm10', 'temperature', 'humidity'];
const DIGIT_ZERO = 0x30;
const PUBACK_BYTES = 4;
/** Between two looks at what may be sent by now. */
const PACE_MS = 5;
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
  const template = payloadOf(options.parameters ?? LOW_COST);
  const connections = await Promise.all(
    options.connections.map((connection) => open(options, connection, template.payload)),
  );
  const share = Math.ceil(messages / connections.length);
  const perMs = (options.perSecond ?? Infinity) / connections.length / 1000;
  const startedAt = performance.now();
  await Promise.all(
    connections.map((connection) =>
      drive(connection, template, share, inFlight, perMs, options.firstTs, latencies),
    ),
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

interface Template {
  readonly payload: Buffer;
  /** Where the last digits of the values stand in it. */
  readonly digitsAt: readonly number[];
}

function payloadOf(parameters: readonly MeasuredParameter[]): Template {
  let text = `${BEFORE_TS}${'0'.repeat(13)},"values":{`;
  const digitsAt = parameters.map((parameter, i) => {
    text += `${i === 0 ? '' : ','}"${parameter}":${VALUES[parameter]}`;
    return text.length - 1;
  });
  return { payload: Buffer.from(`${text}}}`), digitsAt };
}

interface Connection {
  readonly socket: Socket;
  readonly clientId: string;
  readonly templates: readonly Buffer[];
}

async function open(
  { host, port }: LoadOptions,
  { clientId, username = clientId, password, topics }: LoadOptions['connections'][number],
  payload: Buffer,
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
    packet(0x32, Buffer.concat([text(topic), Buffer.alloc(2), payload])),
  );
  return { socket, clientId, templates };
}

/** Keeps up to `inFlight` messages unacknowledged until `count` are acknowledged, at most `perMs` of them a millisecond. */
function drive(
  { socket, clientId, templates }: Connection,
  { payload, digitsAt }: Template,
  count: number,
  inFlight: number,
  perMs: number,
  firstTs: number,
  latencies: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let acknowledged = 0;
    let partial = 0;
    const sentAt = new Float64Array(inFlight);
    const templateOf = (message: number): Buffer => templates[message % templates.length] ?? Buffer.alloc(0);
    const startedAt = performance.now();
    const allowed = (): number =>
      perMs === Infinity ? count : Math.min(count, Math.ceil((performance.now() - startedAt) * perMs));
    const send = (): void => {
      const n = Math.min(inFlight - (sent - acknowledged), allowed() - sent);
      if (n <= 0) return;
      const now = performance.now();
      const messages = Array.from({ length: n }, (_, i) => templateOf(sent + i));
      const chunk = Buffer.allocUnsafe(messages.reduce((bytes, { length }) => bytes + length, 0));
      let at = 0;
      for (const template of messages) {
        template.copy(chunk, at);
        at += template.length;
        const payloadAt = at - payload.length;
        const turn = Math.floor(sent / templates.length);
        chunk.writeUInt16BE((sent % 65_535) + 1, payloadAt - 2);
        chunk.write(String(firstTs + turn * MINUTE), payloadAt + BEFORE_TS.length, 'latin1');
        for (const digitAt of digitsAt) chunk[payloadAt + digitAt] = DIGIT_ZERO + ((turn * 7 + digitAt) % 10);
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
        clearInterval(pace);
        socket.removeAllListeners('close');
        resolve();
      } else send();
    });
    const pace = perMs === Infinity ? undefined : setInterval(send, PACE_MS);
    const lost = (): void => {
      clearInterval(pace);
      reject(
        new PantauError(
          'STORE_UNAVAILABLE',
          `the connection of ${clientId} was lost after ${acknowledged} acknowledgements.`,
        ),
      );
    };
    socket.once('close', lost);
    socket.once('error', lost);
    send();
  });
}
