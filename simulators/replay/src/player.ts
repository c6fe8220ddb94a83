import { messageOf, PantauError, SECOND, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import { formatTopic, type TopicKind } from '#libs/telemetry';
import mqtt, { type MqttClient } from 'mqtt';
import { setMaxListeners } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fleetMessages } from './camera-fleet.js';
import { fleetOf, recordedSamples, type ReplayPlan } from './plan.js';

/** A message of a device and when it is due. */
export interface Message {
  readonly ts: UtcMillis;
  readonly dueAt: UtcMillis;
  readonly kind: TopicKind;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface PlayOptions {
  readonly plan: ReplayPlan;
  /** `mqtt://host:port` */
  readonly url: string;
  /** Password by device. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Recorded seconds per second; `max` sends as fast as acknowledgements come. */
  readonly speed: number | 'max';
  /** Moves every instant so that the first is now. */
  readonly restamp: boolean;
  /** How long a device may be without a connection before the replay ends with an error; for ever without it. */
  readonly patience?: Millis | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** File that gets a JSON line for every acknowledged message, written before the next one is sent. */
  readonly acknowledgedLog?: string | undefined;
}

export interface Progress {
  readonly sent: number;
  readonly acknowledged: number;
  readonly total: number;
  /** Readings and heartbeats in the acknowledged messages. */
  readonly values: number;
  /** Devices that wait for the broker. */
  readonly waiting: number;
}

export type PlayReport = Progress & { readonly elapsedMs: Millis };

/** Messages of one device that may be unacknowledged at a time. */
const IN_FLIGHT = 50;
const PROGRESS_MS = 250;
const RECONNECT_MS = 500;

/** The messages of every device of a plan, each list in the order of sending. */
export function messagesOf(plan: ReplayPlan, shiftMs: Millis = 0): Map<string, Message[]> {
  const messages = new Map<string, Message[]>();
  for (const [device, samples] of recordedSamples(plan)) {
    messages.set(
      device,
      samples.map(({ ts, values }, seq) => {
        const at = ts + shiftMs;
        return {
          ts: at,
          dueAt: at,
          kind: 'telemetry',
          payload: { ts: new Date(at).toISOString(), seq, values },
        };
      }),
    );
  }
  const fleet = fleetOf(plan);
  if (fleet === undefined) return messages;
  const shifted = {
    ...fleet,
    from: fleet.from + shiftMs,
    to: fleet.to + shiftMs,
    outages: fleet.outages.map((outage) => ({
      ...outage,
      from: outage.from + shiftMs,
      to: outage.to + shiftMs,
    })),
  };
  for (const device of fleet.devices) {
    const list = fleetMessages(shifted, device);
    messages.set(
      device,
      list.map(({ ts, deliverAt, payload }): Message => ({
        ts,
        dueAt: deliverAt,
        kind: 'heartbeat',
        payload,
      })),
    );
  }
  return messages;
}

/**
 * Plays a plan: every device of it is an MQTT client of its own with its own credentials, QoS 1 and a session that
 * survives a lost connection. A message counts as acknowledged when its PUBACK is here. On a lost connection the
 * client connects again and sends again what was not acknowledged, in order.
 *
 * @throws PantauError `USAGE` when devices have no password, `TOKEN_INVALID` when the broker refuses its credentials,
 * `BROKER_UNAVAILABLE` when a device was without a connection for longer than `patience`
 */
export async function play(options: PlayOptions): Promise<PlayReport> {
  const { plan, clock, restamp, onProgress, signal } = options;
  const startedAt = clock.now();
  const messages = messagesOf(plan, restamp ? startedAt - plan.from : 0);
  // Before anything is sent: nothing is half played for want of a password.
  const missing = [...messages.keys()].filter((device) => options.passwords[device] === undefined);
  if (missing.length > 0)
    throw new PantauError('USAGE', `no password for ${missing.join(', ')}.`, {
      remedy: 'Add them to the credentials file.',
    });
  const progress = { sent: 0, acknowledged: 0, total: 0, values: 0, waiting: 0 };
  for (const list of messages.values()) progress.total += list.length;
  const first = Math.min(...[...messages.values()].map((list) => list[0]?.dueAt ?? Infinity));
  const abort = new AbortController();
  const stop = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  // Every device waits for it.
  setMaxListeners(0, stop);
  const dueIn = (dueAt: UtcMillis): Millis =>
    options.speed === 'max' ? 0 : startedAt + (dueAt - first) / options.speed - clock.now();

  const timer = setInterval(() => onProgress?.({ ...progress }), PROGRESS_MS);
  try {
    await Promise.all(
      Array.from(messages, ([device, list]) => playDevice(device, list, options, progress, dueIn, stop)),
    );
  } catch (error) {
    abort.abort();
    throw error;
  } finally {
    clearInterval(timer);
  }
  onProgress?.({ ...progress });
  return { ...progress, elapsedMs: clock.now() - startedAt };
}

async function playDevice(
  device: string,
  messages: readonly Message[],
  { plan, url, passwords, acknowledgedLog, patience }: PlayOptions,
  progress: { -readonly [K in keyof Progress]: Progress[K] },
  dueIn: (dueAt: UtcMillis) => Millis,
  stop: AbortSignal,
): Promise<void> {
  const topic = (kind: TopicKind): string => formatTopic({ site: plan.site, device, kind });
  const client = mqtt.connect(url, {
    clientId: device,
    username: device,
    // play() has seen that it is there.
    password: passwords[device] ?? '',
    protocolVersion: 4,
    clean: false,
    reconnectPeriod: RECONNECT_MS,
    will: {
      topic: topic('status'),
      payload: Buffer.from(JSON.stringify({ state: 'offline' })),
      qos: 1,
      retain: false,
    },
  });
  let waiting = false;
  const setWaiting = (now: boolean): void => {
    if (now !== waiting) progress.waiting += now ? 1 : -1;
    waiting = now;
  };
  let lastError: Error | undefined;
  let patienceTimer: NodeJS.Timeout | undefined;
  const refused = new Promise<never>((_resolve, reject) => {
    const startPatience = (): void => {
      if (patience === undefined || stop.aborted) return;
      patienceTimer ??= setTimeout(() => {
        reject(
          new PantauError(
            'BROKER_UNAVAILABLE',
            `no connection to ${url} for ${patience / SECOND} s (device ${device}${lastError === undefined ? '' : `: ${reasonOf(lastError)}`}).`,
            { remedy: 'Start Pantau, give the address with --url, or wait longer with --patience.' },
          ),
        );
      }, patience);
    };
    startPatience();
    client.on('close', startPatience);
    client.on('connect', () => {
      clearTimeout(patienceTimer);
      patienceTimer = undefined;
    });
    client.on('error', (error) => {
      lastError = error;
      const { code } = error as { code?: unknown };
      // 4 and 5: bad user name or password, not authorised. Trying again would not help.
      if (code === 4 || code === 5)
        reject(
          new PantauError('TOKEN_INVALID', `the broker refuses the credentials of ${device}.`, {
            remedy: 'Issue new ones: pantau device rotate.',
          }),
        );
    });
  });
  client.on('close', () => setWaiting(true));
  client.on('connect', () => {
    setWaiting(false);
    client.publish(topic('status'), JSON.stringify({ state: 'online' }), { qos: 1 });
  });
  const stopped = new Promise<void>((resolve) =>
    stop.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    await Promise.race([
      refused,
      stopped,
      sendAll(client, messages, topic, progress, dueIn, stop, device, acknowledgedLog),
    ]);
    // In order: everything is acknowledged, so DISCONNECT and no will.
    if (!stop.aborted) await Promise.race([client.endAsync(), stopped]);
  } finally {
    client.removeAllListeners('close');
    clearTimeout(patienceTimer);
    setWaiting(false);
    client.end(true);
  }
}

/** Of several addresses that were tried in vain, Node puts the reasons into `errors` and leaves the message empty. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}

async function sendAll(
  client: MqttClient,
  messages: readonly Message[],
  topic: (kind: TopicKind) => string,
  progress: { -readonly [K in keyof Progress]: Progress[K] },
  dueIn: (dueAt: UtcMillis) => Millis,
  stop: AbortSignal,
  device: string,
  acknowledgedLog: string | undefined,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  for (const { ts, dueAt, kind, payload } of messages) {
    const wait = dueIn(dueAt);
    if (wait > 0) await delay(wait, undefined, { signal: stop }).catch(() => undefined);
    while (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (stop.aborted) return;
    progress.sent++;
    const acknowledged = publish(client, topic(kind), JSON.stringify(payload)).then(
      () => {
        progress.acknowledged++;
        progress.values += kind === 'telemetry' ? Object.keys(payload['values'] as object).length : 1;
        if (acknowledgedLog !== undefined) {
          appendFileSync(
            acknowledgedLog,
            `${JSON.stringify({ device, kind, ts, ...(kind === 'telemetry' ? { values: payload['values'] } : {}) })}\n`,
          );
        }
        inFlight.delete(acknowledged);
      },
      // Ended in the middle, by the caller's wish: not acknowledged, and not counted.
      () => void inFlight.delete(acknowledged),
    );
    inFlight.add(acknowledged);
  }
  await Promise.all(inFlight);
}

/**
 * Publishes until there is a PUBACK. MQTT.js sends again what it has sent, but gives up what is queued behind that when the
 * connection is lost once more meanwhile.
 */
async function publish(client: MqttClient, topic: string, payload: string): Promise<void> {
  for (;;) {
    try {
      await client.publishAsync(topic, payload, { qos: 1 });
      return;
    } catch (error) {
      if (client.disconnecting) throw error;
    }
  }
}
