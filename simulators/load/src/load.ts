import type { Millis, UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { Latencies, type LatencyReport } from './latencies.js';
import { LoadConnection, type LoadTarget } from './load-connection.js';
import { MessageTemplate } from './template.js';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: readonly LoadTarget[];
  /** What each message states; what a low-cost sensor measures when not given. */
  readonly parameters?: readonly MeasuredParameter[];
  readonly pace: Pace;
  readonly messages: number;
  /** Device time of the first message of each topic, milliseconds, 13 digits. */
  readonly firstTs: UtcMillis;
  /** By how much each next message of a topic is later; a minute when not given. */
  readonly stepMs?: Millis;
}

export type Pace =
  /** Closed loop: a connection has so many messages unacknowledged, and sends the next when one is acknowledged. */
  | { readonly inFlight: number }
  /** Open loop: so many messages a second of all connections together, whatever the answers do. */
  | { readonly perSecond: number };

export interface LoadReport {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Acknowledged messages per second. */
  readonly rate: number;
  /**
   * From sending to PUBACK in the closed loop, where a slow broker is asked less; from the time when a message was due to its
   * PUBACK in the open loop, which is what those feel who do not wait for each other.
   */
  readonly ackLatencyMs: LatencyReport;
  /** Until every connection was open. */
  readonly connectSeconds: number;
  /** Processor that this process took for the messages. A generator that takes all of a core measures itself. */
  readonly processorSeconds: number;
  /** What the open connections added to the memory of this process. */
  readonly memoryBytes: number;
}

const LOW_COST: readonly MeasuredParameter[] = ['pm25', 'pm10', 'temperature', 'humidity'];
/** Between two looks at what is due by now. */
const PACE_MS: Millis = 5;
/** Connections opened at a time: brokers have short queues. */
const OPENED_AT_ONCE = 100;

/**
 * Loads a broker with QoS 1 publishes over raw sockets, from thousands of connections when it must. MQTT packets are
 * written by hand and patched in place, so that the generator costs a fraction of what it measures. Every message is a telemetry
 * message of its own.
 *
 * @throws PantauError `STORE_UNAVAILABLE`, with what is owed, when a connection is refused or lost
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { messages, pace } = options;
  const openedAt = performance.now();
  const memory = process.memoryUsage.rss();
  const connections = await openAll(options);
  const memoryBytes = process.memoryUsage.rss() - memory;
  const share = Math.ceil(messages / connections.length);
  const latencies = new Latencies();
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const driven =
    'perSecond' in pace
      ? openLoop(connections, share, pace.perSecond, latencies)
      : Promise.all(connections.map((connection) => closedLoop(connection, share, pace.inFlight, latencies)));
  try {
    await Promise.race([driven, ...connections.map(({ lost }) => lost)]);
  } catch (error) {
    for (const connection of connections) connection.destroy();
    throw error;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  for (const connection of connections) connection.end();
  const acknowledged = share * connections.length;
  return {
    ...{ acknowledged, seconds, rate: acknowledged / seconds, ackLatencyMs: latencies.report() },
    connectSeconds: (startedAt - openedAt) / 1000,
    ...{ processorSeconds: (user + system) / 1e6, memoryBytes },
  };
}

async function openAll(options: LoadOptions): Promise<LoadConnection[]> {
  const { connections: targets, parameters = LOW_COST, firstTs, stepMs } = options;
  const message = new MessageTemplate(parameters, stepMs);
  const connections: LoadConnection[] = [];
  const rest = targets.entries();
  const open = async (): Promise<void> => {
    for (const [i, target] of rest)
      connections[i] = await LoadConnection.open(options, target, message, firstTs);
  };
  try {
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, open));
  } catch (error) {
    for (const connection of connections) (connection as LoadConnection | undefined)?.destroy();
    throw error;
  }
  return connections;
}

function closedLoop(
  connection: LoadConnection,
  share: number,
  inFlight: number,
  latencies: Latencies,
): Promise<void> {
  const sentAt = new Float64Array(inFlight);
  const send = (): void => {
    const count = Math.min(inFlight - (connection.sent - connection.acknowledged), share - connection.sent);
    if (count <= 0) return;
    const now = performance.now();
    for (let i = 0; i < count; i++) sentAt[(connection.sent + i) % inFlight] = now;
    connection.send(count);
  };
  return new Promise((resolve) => {
    let isAsked = false;
    connection.onAcknowledged((message) => {
      latencies.record(performance.now() - (sentAt[message % inFlight] ?? 0));
      if (message + 1 === share) resolve();
      if (isAsked) return;
      isAsked = true;
      // Once for all acknowledgements that came together.
      queueMicrotask(() => {
        isAsked = false;
        send();
      });
    });
    send();
  });
}

/** Message `n` of all is due `n / perSecond` seconds after the start, and goes to the connections in turn. */
async function openLoop(
  connections: readonly LoadConnection[],
  share: number,
  perSecond: number,
  latencies: Latencies,
): Promise<void> {
  const startedAt = performance.now();
  const { length } = connections;
  const total = share * length;
  const acknowledged = connections.map(
    (connection, place) =>
      new Promise<void>((resolve) =>
        connection.onAcknowledged((message) => {
          const dueAt = startedAt + (1000 * (message * length + place)) / perSecond;
          latencies.record(performance.now() - dueAt);
          if (message + 1 === share) resolve();
        }),
      ),
  );
  let sent = 0;
  const send = (): void => {
    const due = Math.min(total, 1 + Math.floor(((performance.now() - startedAt) * perSecond) / 1000));
    for (let n = Math.min(due - sent, length); n > 0; n--) {
      const place = (sent + n - 1) % length;
      const connection = connections[place];
      connection?.send(Math.ceil((due - place) / length) - connection.sent);
    }
    sent = due;
    if (sent === total) clearInterval(timer);
  };
  const timer = setInterval(send, PACE_MS);
  try {
    send();
    await Promise.race([Promise.all(acknowledged), ...connections.map(({ lost }) => lost)]);
  } finally {
    clearInterval(timer);
  }
}
