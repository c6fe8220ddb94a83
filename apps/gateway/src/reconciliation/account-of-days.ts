import type { Journal } from '#libs/journal';
import {
  accountDaysFrom,
  OF_DAY,
  type Account,
  type AccountQueries,
  type DaysAccount,
} from '#libs/journal-transport-state';
import { localDaySpan, type UtcMillis } from '#libs/kernel';
import { REJECTION_REASONS, type RejectionReason } from '#libs/telemetry';
import { firstAppendedSince, oldestReadable } from '../journal/appended-since.js';

/** What became of what arrived on one day of the regency. Every message is in exactly one place of it. */
export interface DayFigures {
  readonly messages: {
    readonly received: number;
    readonly becameReadings: number;
    readonly becameSignals: number;
    readonly becameCommandResults: number;
    readonly refused: number;
    readonly ignored: number;
    readonly repeated: number;
    /** Not decoded yet. */
    readonly waiting: number;
    /** Decoded without a trace. Always 0, or Pantau has a fault. */
    readonly unaccounted: number;
  };
  readonly values: {
    readonly decoded: number;
    readonly amended: number;
    readonly written: number;
    readonly refusedByStore: number;
    /** Not brought to the store yet, or set aside on the way. */
    readonly unwritten: number;
  };
  readonly refusals: Readonly<Partial<Record<RejectionReason, number>>>;
}

export interface AccountOfDay {
  readonly day: string;
  /** Null of a day of which not all was counted by day. */
  readonly figures: DayFigures | null;
  /** Appended on the day as the places of the journal tell, which no stage counted; null where retention took some of it. */
  readonly appended: number | null;
  /** Of these: decoded, and in no place of the account. More than could not be read is a fault of Pantau. */
  readonly notCounted: number | null;
  /** Whether the day adds up, by itself and against the journal; null of a day that is not counted. */
  readonly balanced: boolean | null;
}

const OUTCOMES = ['reading', 'signal', 'command', 'refused', 'ignored', 'repeated', OF_DAY.setAside] as const;
const REFUSED = 'refused: ';
const [INGEST, WRITER] = [
  { stage: 'ingest', stream: 'uplink' },
  { stage: 'writer', stream: 'readings' },
] as const;
type Reader = typeof INGEST | typeof WRITER;

/** Offsets of entries, the end not included. */
interface Places {
  readonly from: number;
  readonly to: number;
}

/** Compares what the stages counted by day of arrival with each other, and with the journal. @param days - in their order */
export async function accountOfDays(
  journal: Journal,
  queries: AccountQueries,
  days: readonly string[],
  now: UtcMillis,
): Promise<AccountOfDay[]> {
  const [first] = days;
  if (first === undefined) return [];
  // In this order: whatever is appended or decoded meanwhile waits at most.
  const account = await queries.look();
  const counted = await queries.lookAtDays(first);
  const shards = Array.from({ length: journal.shards }, (_, shard) => shard);
  const uplinks = await Promise.all(shards.map((shard) => edgesOf(journal, shard, days)));
  const positions = await positionsOf(INGEST, account, counted, journal);
  const writerWaits = await waitingFor(WRITER, account, counted, journal);
  const daysFrom = wholeDaysFrom(account, shards, accountDaysFrom(now));
  const undated = sum(shards, (shard) => account.passedOver({ ...INGEST, shard }).undated ?? 0);
  const passedByWriter = sum(shards, (shard) => {
    const { setAside, lost } = account.passedOver({ ...WRITER, shard });
    return setAside + lost;
  });

  return days.map((day, i) => {
    const spans = shards.map((shard) => ({ span: uplinks[shard]?.[i], next: positions[shard] ?? 0 }));
    const isKept = spans.every(({ span }) => span !== undefined);
    const appended = isKept ? sum(spans, ({ span }) => lengthOf(span)) : null;
    if (daysFrom === undefined || day < daysFrom)
      return { day, figures: null, appended, notCounted: null, balanced: null };
    const ingest = countsOf(INGEST, day, counted, shards);
    const writer = countsOf(WRITER, day, counted, shards);
    const waiting = sum(spans, ({ span, next }) =>
      span === undefined ? 0 : lengthOf({ from: Math.max(span.from, next), to: span.to }),
    );
    const figures = figuresOf(ingest, writer, waiting);
    const decodedHere =
      ingest(OF_DAY.entries) - ingest(OF_DAY.appendedElsewhere) + ingest(OF_DAY.arrivedElsewhere);
    const notCounted = appended === null ? null : appended - waiting - decodedHere;
    const { unwritten } = figures.values;
    const balanced =
      figures.messages.unaccounted === 0 &&
      (notCounted === null || (notCounted >= 0 && notCounted <= undated)) &&
      unwritten >= 0 &&
      (unwritten === 0 || writerWaits > 0 || passedByWriter > 0);
    return { day, figures, appended, notCounted, balanced };
  });
}

type Counter = (name: string) => number;

function figuresOf(ingest: Counter, writer: Counter, waiting: number): DayFigures {
  const setAside = ingest(OF_DAY.setAside);
  const [decoded, amended] = [ingest('values'), ingest('amended')];
  const [written, refusedByStore] = [writer('written'), writer('refused')];
  const refusals: Partial<Record<RejectionReason, number>> = {};
  for (const reason of REJECTION_REASONS) {
    const count = ingest(REFUSED + reason) + (reason === 'handler_failed' ? setAside : 0);
    if (count > 0) refusals[reason] = count;
  }
  return {
    messages: {
      received: ingest(OF_DAY.entries) + waiting,
      becameReadings: ingest('reading'),
      becameSignals: ingest('signal'),
      becameCommandResults: ingest('command'),
      refused: ingest('refused') + setAside,
      ignored: ingest('ignored'),
      repeated: ingest('repeated'),
      waiting,
      unaccounted: ingest(OF_DAY.entries) - sum(OUTCOMES, ingest),
    },
    values: {
      decoded,
      amended,
      written,
      refusedByStore,
      unwritten: decoded + amended - written - refusedByStore,
    },
    refusals,
  };
}

function countsOf(reader: Reader, day: string, counted: DaysAccount, shards: readonly number[]): Counter {
  const rows = shards.map((shard) => counted.counted(day, { ...reader, shard })?.counts ?? {});
  return (name) => sum(rows, (counts) => counts[name] ?? 0);
}

/** The first day of which every shard counted all and which is kept; undefined when one of them does not count by day yet. */
function wholeDaysFrom(account: Account, shards: readonly number[], keptFrom: string): string | undefined {
  let latest = keptFrom;
  for (const reader of [INGEST, WRITER])
    for (const shard of shards) {
      const row = account.counted({ ...reader, shard });
      if (row === undefined) continue;
      if (row.daysFrom === undefined) return undefined;
      if (row.daysFrom > latest) latest = row.daysFrom;
    }
  return latest;
}

/** Where the cursors of a stage stand, by shard: at least as far as what it counted. */
async function positionsOf(
  reader: Reader,
  account: Account,
  counted: DaysAccount,
  journal: Journal,
): Promise<number[]> {
  const positions: number[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const origin = { ...reader, shard };
    const row = account.counted(origin);
    const { setAside, lost } = account.passedOver(origin);
    // What was passed over since the last batch is seen by the next one.
    const stands =
      row === undefined
        ? await journal.position(reader.stage, reader.stream, shard)
        : row.next + Math.max(0, setAside + lost - row.skipped);
    positions.push(Math.max(stands, counted.next(origin)));
  }
  return positions;
}

async function waitingFor(
  reader: Reader,
  account: Account,
  counted: DaysAccount,
  journal: Journal,
): Promise<number> {
  const positions = await positionsOf(reader, account, counted, journal);
  let waiting = 0;
  for (const [shard, position] of positions.entries()) {
    const { next } = await journal.extent(reader.stream, shard);
    waiting += Math.max(0, next - position);
  }
  return waiting;
}

/** The offsets of the messages that were appended on each day; undefined where retention took some of them. */
async function edgesOf(
  journal: Journal,
  shard: number,
  days: readonly string[],
): Promise<(Places | undefined)[]> {
  const extent = await journal.extent('uplink', shard);
  const oldest = extent.first > 0 ? await oldestReadable(journal, 'uplink', shard, extent) : undefined;
  const keptFrom = extent.first === 0 ? -Infinity : (oldest?.appendedAt ?? Infinity);
  const spans: (Places | undefined)[] = [];
  let { first } = extent;
  let since: UtcMillis | undefined;
  for (const day of days) {
    const { from, to } = localDaySpan(day) ?? { from: 0, to: 0 };
    if (since !== from)
      first = await firstAppendedSince(journal, 'uplink', shard, from, { ...extent, first });
    const next = await firstAppendedSince(journal, 'uplink', shard, to, { ...extent, first });
    spans.push(keptFrom >= from ? undefined : { from: first, to: next });
    [first, since] = [next, to];
  }
  return spans;
}

function lengthOf(span: Places | undefined): number {
  return span === undefined ? 0 : Math.max(0, span.to - span.from);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
