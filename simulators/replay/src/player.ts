import { DAY, messageOf, PantauError, SECOND, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import { MqttDevice } from '#simulators/client';
import { setMaxListeners } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Message, Replay, ReplayedDevice } from './messages.js';

export interface PlayOptions {
  readonly replay: Replay;
  /** `mqtt://host:port` */
  readonly url: string;
  /** Password by device. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Recorded seconds per second; `max` sends as fast as acknowledgements come. Nothing is sent before it is due by the clock. */
  readonly speed: number | 'max';
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
  /** Infinite for a replay without an end. */
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
/** A timer of Node overflows after 24 days. */
const LONGEST_WAIT = DAY;

/**
 * Plays recorded messages: every device is an MQTT client of its own with its own credentials, QoS 1 and a session that survives
 * a lost connection. A message counts as acknowledged when its PUBACK is here. On a lost connection the client connects again
 * and sends again what was not acknowledged, in order.
 *
 * @throws PantauError `USAGE` when devices have no password, `TOKEN_INVALID` when the broker refuses its credentials,
 * `BROKER_UNAVAILABLE` when a device was without a connection for longer than `patience`
 */
export async function play(options: PlayOptions): Promise<PlayReport> {
  const { replay, clock, onProgress, signal, url, passwords, patience = Infinity } = options;
  const startedAt = clock.now();
  // Before anything is sent: nothing is half played for want of a password.
  const missing = [...replay.keys()].filter((device) => passwords[device] === undefined);
  if (missing.length > 0)
    throw new PantauError('USAGE', `no password for ${missing.join(', ')}.`, {
      remedy: 'Add them to the credentials file.',
    });
  const progress = { sent: 0, acknowledged: 0, total: 0, values: 0, waiting: 0 };
  let first = Infinity;
  for (const { messages } of replay.values()) {
    progress.total += Array.isArray(messages) ? messages.length : Infinity;
    if (Array.isArray(messages)) first = Math.min(first, (messages as Message[])[0]?.dueAt ?? Infinity);
  }
  const { speed } = options;
  const abort = new AbortController();
  const stop = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  // Every device waits for it.
  setMaxListeners(0, stop);
  const dueIn = (dueAt: UtcMillis): Millis => {
    const paced = speed === 'max' || first === Infinity ? -Infinity : startedAt + (dueAt - first) / speed;
    return Math.max(paced, dueAt) - clock.now();
  };

  const devices = Array.from(
    replay,
    ([id, { site }]) => new MqttDevice({ id, site, url, password: passwords[id] ?? '' }),
  );
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_resolve, reject) => {
    timer = setInterval(
      () => {
        progress.waiting = devices.filter(({ isConnected }) => !isConnected).length;
        onProgress?.({ ...progress });
        const alone = devices.find(({ aloneFor }) => aloneFor >= patience);
        if (alone !== undefined) reject(withoutBroker(alone, url, patience));
      },
      Math.min(PROGRESS_MS, patience),
    );
  });
  const stopped = new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (stop.aborted) resolve();
  });
  try {
    const sent = devices.map((device) => {
      const { messages } = replay.get(device.id) as ReplayedDevice;
      return sendAll(device, messages, { ...options, progress, dueIn, stop });
    });
    await Promise.race([lost, stopped, ...devices.map(({ refused }) => refused), Promise.all(sent)]);
    // In order: everything is acknowledged, so DISCONNECT and no will.
    if (!stop.aborted) await Promise.race([stopped, Promise.all(devices.map((device) => device.end()))]);
  } finally {
    clearInterval(timer);
    abort.abort();
    for (const device of devices) device.destroy();
  }
  progress.waiting = 0;
  onProgress?.({ ...progress });
  return { ...progress, elapsedMs: clock.now() - startedAt };
}

interface Sending extends Pick<PlayOptions, 'acknowledgedLog'> {
  readonly progress: { -readonly [K in keyof Progress]: Progress[K] };
  readonly dueIn: (dueAt: UtcMillis) => Millis;
  readonly stop: AbortSignal;
}

async function sendAll(
  device: MqttDevice,
  messages: Iterable<Message>,
  { progress, dueIn, stop, acknowledgedLog }: Sending,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  for (const { ts, dueAt, kind, payload, values } of messages) {
    for (let wait = dueIn(dueAt); wait > 0 && !stop.aborted; wait = dueIn(dueAt))
      await delay(Math.min(wait, LONGEST_WAIT), undefined, { signal: stop }).catch(() => undefined);
    while (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (stop.aborted) return;
    progress.sent++;
    const settled = device.publish(kind, payload).then((isAcknowledged) => {
      inFlight.delete(settled);
      // Ended in the middle, by the caller's wish: not acknowledged, and not counted.
      if (!isAcknowledged) return;
      progress.acknowledged++;
      progress.values += values === undefined ? 1 : Object.keys(values).length;
      if (acknowledgedLog !== undefined)
        appendFileSync(
          acknowledgedLog,
          `${JSON.stringify({ device: device.id, kind, ts, ...(values === undefined ? {} : { values }) })}\n`,
        );
    });
    inFlight.add(settled);
  }
  await Promise.all(inFlight);
}

function withoutBroker({ id, lastError }: MqttDevice, url: string, patience: Millis): PantauError {
  const reason = lastError === undefined ? '' : `: ${reasonOf(lastError)}`;
  return new PantauError(
    'BROKER_UNAVAILABLE',
    `no connection to ${url} for ${patience / SECOND} s (device ${id}${reason}).`,
    { remedy: 'Start Pantau, give the address with --url, or wait longer with --patience.' },
  );
}

/** Of several addresses that were tried in vain, Node puts the reasons into `errors` and leaves the message empty. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
