import type { Device } from '#libs/identity';
import type { UtcMillis } from '#libs/kernel';
import type { Rejection } from '#libs/telemetry';
import { newestArrivalOf, type LatestReadings } from './latest-readings-form.js';
import { remedyOf } from './remedies.js';
import type { DeviceView } from './views.js';

/** Messages of a device that gave nothing, since the newest that gave something. */
export interface Unread extends Pick<Rejection, 'reason' | 'detail' | 'topic'> {
  /** Arrival of the first of them. */
  readonly since: UtcMillis;
  /** Arrival of the newest. */
  readonly at: UtcMillis;
  readonly messages: number;
  /** Where the newest stands in the journal: several refusals can be of one message. */
  readonly entry: string;
}

/** Several of these intervals without a value are no pause. */
const PATIENCE_INTERVALS = 3;

const NOTHING_READ = 'Melapor, tetapi tidak ada yang terbaca. / It reports, but nothing is read.';

/** What the API and the command line say of a device whose messages give no value. */
export interface NothingRead extends Omit<Unread, 'entry'> {
  readonly message: string;
  readonly remedy: string;
}

/** When a device last gave what it is there for: readings, or heartbeats; undefined for never. */
export function lastValueAt(
  view: DeviceView | undefined,
  latest: LatestReadings | undefined,
): UtcMillis | undefined {
  const newest = Math.max(latest ? newestArrivalOf(latest) : 0, view?.heartbeat?.ts ?? 0);
  return newest === 0 ? undefined : newest;
}

/**
 * Takes in what was refused of a message, or that it held nothing to keep.
 *
 * @param valueAt - of {@link lastValueAt}: what came before it does not count any more
 */
export function withRejection(
  before: Unread | undefined,
  { reason, detail, topic, receivedAt, source }: Rejection,
  valueAt: UtcMillis = 0,
): Unread | undefined {
  // Refused at the door, or by the store; or taken before.
  if (source?.stream !== 'uplink' || reason === 'repeated') return before;
  const entry = `${source.shard}/${source.offset}`;
  const standing = before !== undefined && before.at > valueAt ? before : undefined;
  const isOfTheSame = standing?.entry === entry;
  // The fault of a message says more than that another one held nothing.
  const isTold = standing !== undefined && isFault(standing) && (isOfTheSame || reason === 'nothing_to_keep');
  return {
    ...(isTold ? { reason: standing.reason, detail: standing.detail } : { reason, detail }),
    ...topicOf(isTold ? standing.topic : topic),
    since: standing?.since ?? receivedAt,
    at: receivedAt,
    messages: (standing?.messages ?? 0) + (isOfTheSame ? 0 : 1),
    entry,
  };
}

/**
 * Whether a device reports without being read. Messages without a fault, such as those of the battery, say so only when
 * nothing else came for some intervals; a gateway's own never do.
 *
 * @param valueAt - of {@link lastValueAt}, of a gateway the newest of the devices that it speaks for
 */
export function nothingReadOf(
  { kind, intervalMs }: Pick<Device, 'kind' | 'intervalMs'>,
  unread: Unread | undefined,
  valueAt: UtcMillis | undefined,
): NothingRead | undefined {
  if (unread === undefined) return undefined;
  const patience = PATIENCE_INTERVALS * intervalMs;
  const isLong = unread.at - Math.max(valueAt ?? 0, isFault(unread) ? 0 : unread.since) > patience;
  if (!isLong || (kind === 'gateway' && !isFault(unread))) return undefined;
  const { reason, detail, topic, since, at, messages } = unread;
  const told = { reason, detail, ...topicOf(topic), since, at, messages };
  return { ...told, message: NOTHING_READ, remedy: remedyOf(reason) };
}

function isFault({ reason }: Pick<Unread, 'reason'>): boolean {
  return reason !== 'nothing_to_keep';
}

function topicOf(topic: string | undefined): Pick<Unread, 'topic'> {
  return topic === undefined || topic === '' ? {} : { topic };
}
