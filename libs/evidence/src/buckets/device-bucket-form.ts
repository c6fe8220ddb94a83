import type { Sample } from '#libs/indicators';
import { HOUR, MINUTE, sortable, type Millis, type Row, type UtcMillis } from '#libs/kernel';
import { judgementOf, markOf } from '#libs/quality-control';
import {
  HEARTBEAT_STATES,
  type HeartbeatState,
  type JournalRef,
  type Parameter,
  type QualityFlag,
  type Reading,
} from '#libs/telemetry';

/** What is sampled: a parameter, or whether a camera is up. A heartbeat is kept as the number of its state. */
export type Series = Parameter | 'heartbeat';

/** These numbers are stored: new ones may be added, none may change. */
export const STATE_NUMBERS: Readonly<Record<HeartbeatState, number>> = {
  down: 0,
  up: 1,
  degraded: 2,
  planned: 3,
  unknown: 4,
};

/** The state of a number; one that only a later version knows is unknown. */
export function stateOfNumber(number: number): HeartbeatState {
  return HEARTBEAT_STATES.find((state) => STATE_NUMBERS[state] === number) ?? 'unknown';
}

/** One value of a message. */
export interface SeriesValue extends Pick<Reading, 'value' | 'flag' | 'failed'> {
  readonly parameter: Series;
}

/**
 * How much of a device's time is stored together. Short, because a bucket is written again with what comes into it: of a
 * device that reports every minute an hour would be written sixty times. An hour is made of whole ones.
 */
export const BUCKET: Millis = 15 * MINUTE;

/**
 * What one device reported in one {@link BUCKET} of time, as it is stored: a row a message, `[instant, shard, offset, number of values]`, and
 * then `[series and mark, value]` for each of its values; the mark is flag and standing in one digit ({@link markOf}). Rows are in order of time, and of one series and instant there
 * is one value, the last that came. So a message that arrives twice, late or out of order leads to the same bucket.
 *
 * Numbers alone, because this is written again with every message of the device: as objects with names it took most of
 * the time of the stage.
 */
export type DeviceBucket = Row<'device bucket'>;

/** Rows as they arrive, in the same form; not yet in order, and of any bucket. */
type Rows = readonly number[];

const ROW_HEAD = 4;
const CELL = 2;
/** Marks have one digit. */
const SERIES_STEP = 10;

/** These numbers are stored: new ones may be added, none may change. */
const SERIES_CODES: Readonly<Record<Series, number>> = {
  heartbeat: 0,
  pm25: 1,
  pm10: 2,
  so2: 3,
  no2: 4,
  co: 5,
  o3: 6,
  hc: 7,
  temperature: 8,
  humidity: 9,
  pm25_corrected: 10,
};

const SERIES_OF_CODE = new Map(
  Object.entries(SERIES_CODES).map(([series, code]) => [code, series as Series]),
);

export const EMPTY_BUCKET = bucketOfRows([]);

/** Whether it is rows that are whole: what follows one is found by the number of its values. */
export function isDeviceBucket(value: unknown): boolean {
  if (!Array.isArray(value) || !value.every(Number.isFinite)) return false;
  const rows = value as Rows;
  let row = 0;
  while (row < rows.length && Number.isInteger(rows[row + 3]) && at(rows, row + 3) >= 0)
    row = endOf(rows, row);
  return row === rows.length;
}

/** When the bucket begins that holds the instant. */
export function bucketOf(ts: UtcMillis): UtcMillis {
  return Math.floor(ts / BUCKET) * BUCKET;
}

/** Order of the keys is order of time within a device. */
export function bucketKey(device: string, ts: UtcMillis): string {
  return `${device}/${sortable(bucketOf(ts))}`;
}

/** The keys of the buckets of an hour. */
export function bucketKeys(device: string, hour: UtcMillis): string[] {
  const keys: string[] = [];
  for (let from = hour; from < hour + HOUR; from += BUCKET) keys.push(bucketKey(device, from));
  return keys;
}

/** Adds a row at the end. */
export function addRow(
  rows: number[],
  ts: UtcMillis,
  shard: number,
  offset: number,
  values: readonly SeriesValue[],
): void {
  if (values.length === 0) return;
  rows.push(ts, shard, offset, values.length);
  for (const reading of values)
    rows.push(SERIES_CODES[reading.parameter] * SERIES_STEP + markOf(reading), reading.value);
}

/** Rows of a device, in the order in which they came, apart for each bucket. */
export function byBucket(rows: Rows): { from: UtcMillis; rows: Rows }[] {
  const buckets: { from: UtcMillis; rows: number[] }[] = [];
  for (let row = 0, end = 0; row < rows.length; row = end) {
    end = endOf(rows, row);
    const from = bucketOf(at(rows, row));
    let bucket = buckets.at(-1);
    if (bucket?.from !== from) {
      bucket = buckets.find((known) => known.from === from);
      if (bucket === undefined) buckets.push((bucket = { from, rows: [] }));
    }
    for (let i = row; i < end; i++) bucket.rows.push(at(rows, i));
  }
  return buckets;
}

/** Of which series the rows have values. */
export function seriesOf(rows: Rows): ReadonlySet<Series> {
  const found = new Set<Series>();
  for (let row = 0, end = 0; row < rows.length; row = end) {
    end = endOf(rows, row);
    for (let cell = row + ROW_HEAD; cell < end; cell += CELL) {
      const series = SERIES_OF_CODE.get(seriesAt(rows, cell));
      if (series !== undefined) found.add(series);
    }
  }
  return found;
}

/** Puts rows, in the order in which they came, into the bucket of their device. */
export function mergeBucket(bucket: DeviceBucket, arrived: Rows): DeviceBucket {
  const before = rowsOf(bucket);
  const joined = before.length === 0 ? arrived : before.concat(arrived);
  return bucketOfRows(isOrdered(arrived, newestOf(before)) ? joined : inOrder(joined));
}

/**
 * Adds by how much the number of values of each flag grew, heartbeats apart.
 *
 * @param after - `before` with `arrived` in it
 */
export function countGrowth(
  before: DeviceBucket,
  arrived: Rows,
  after: DeviceBucket,
  grown: Map<QualityFlag, number>,
): void {
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)];
  if (rowsAfter.length === rowsBefore.length + arrived.length) {
    countFlags(arrived, grown, 1);
    return;
  }
  countFlags(rowsBefore, grown, -1);
  countFlags(rowsAfter, grown, 1);
}

function countFlags(rows: Rows, counts: Map<QualityFlag, number>, sign: 1 | -1): void {
  for (let row = 0, end = 0; row < rows.length; row = end) {
    end = endOf(rows, row);
    for (let cell = row + ROW_HEAD; cell < end; cell += CELL) {
      if (seriesAt(rows, cell) === SERIES_CODES.heartbeat) continue;
      const { flag } = judgementOf(at(rows, cell) % SERIES_STEP);
      counts.set(flag, (counts.get(flag) ?? 0) + sign);
    }
  }
}

/** The samples of one series, in order of time, from buckets in order of time; undefined ones are empty. */
export function samplesOf(buckets: readonly (DeviceBucket | undefined)[], series: Series): Sample[] {
  const samples: Sample[] = [];
  let newest = -Infinity;
  let isInOrder = true;
  for (const bucket of buckets) {
    if (bucket === undefined) continue;
    const first = samples.length;
    addSamples(rowsOf(bucket), series, samples);
    isInOrder &&= (samples[first]?.ts ?? Infinity) > newest;
    newest = samples.at(-1)?.ts ?? newest;
  }
  return isInOrder ? samples : onceEach(samples);
}

/**
 * A bucket used to be an hour, and such ones are kept as they were. What comes late into an hour that is stored like that may
 * repeat what its first bucket holds.
 */
function onceEach(samples: readonly Sample[]): Sample[] {
  const last = new Map(samples.map((sample) => [sample.ts, sample]));
  return [...last.values()].sort((a, b) => a.ts - b.ts);
}

function addSamples(bucket: Rows, series: Series, samples: Sample[]): void {
  const wanted = SERIES_CODES[series];
  for (let row = 0, end = 0; row < bucket.length; row = end) {
    end = endOf(bucket, row);
    for (let cell = row + ROW_HEAD; cell < end; cell += CELL) {
      if (seriesAt(bucket, cell) !== wanted) continue;
      const { shard, offset } = refAt(bucket, row);
      const { flag, standing } = judgementOf(at(bucket, cell) % SERIES_STEP);
      samples.push({ ts: at(bucket, row), value: at(bucket, cell + 1), flag, standing, shard, offset });
    }
  }
}

/** Whether the rows are newer than an instant, each than the one before, and none has a series twice. */
function isOrdered(rows: Rows, after: UtcMillis): boolean {
  let newest = after;
  for (let row = 0, end = 0; row < rows.length; row = end) {
    end = endOf(rows, row);
    if (at(rows, row) <= newest) return false;
    newest = at(rows, row);
    let seen = 0;
    for (let cell = row + ROW_HEAD; cell < end; cell += CELL) {
      const bit = 1 << seriesAt(rows, cell);
      if ((seen & bit) !== 0) return false;
      seen |= bit;
    }
  }
  return true;
}

function inOrder(rows: Rows): Rows {
  const kept: number[][] = [];
  /** By instant, the series of which a later value was found, a bit each. */
  const later = new Map<UtcMillis, number>();
  for (const row of startsOf(rows).reverse()) {
    const ts = at(rows, row);
    const { shard, offset } = refAt(rows, row);
    const cells: number[] = [];
    let found = later.get(ts) ?? 0;
    for (let cell = endOf(rows, row) - CELL; cell >= row + ROW_HEAD; cell -= CELL) {
      const bit = 1 << seriesAt(rows, cell);
      if ((found & bit) !== 0) continue;
      found |= bit;
      cells.unshift(at(rows, cell), at(rows, cell + 1));
    }
    later.set(ts, found);
    if (cells.length > 0) kept.push([ts, shard, offset, cells.length / CELL, ...cells]);
  }
  return kept
    .reverse()
    .sort((a, b) => at(a, 0) - at(b, 0))
    .flat();
}

function newestOf(bucket: Rows): UtcMillis {
  let newest = -Infinity;
  for (let row = 0; row < bucket.length; row = endOf(bucket, row)) newest = at(bucket, row);
  return newest;
}

function startsOf(rows: Rows): number[] {
  const starts: number[] = [];
  for (let row = 0; row < rows.length; row = endOf(rows, row)) starts.push(row);
  return starts;
}

function endOf(rows: Rows, row: number): number {
  return row + ROW_HEAD + at(rows, row + 3) * CELL;
}

function refAt(rows: Rows, row: number): JournalRef {
  return { shard: at(rows, row + 1), offset: at(rows, row + 2) };
}

function seriesAt(rows: Rows, cell: number): number {
  return Math.floor(at(rows, cell) / SERIES_STEP);
}

function rowsOf(bucket: DeviceBucket): Rows {
  return bucket as unknown as Rows;
}

function bucketOfRows(rows: Rows): DeviceBucket {
  return rows as unknown as DeviceBucket;
}

/** The position exists: rows are whole. */
function at(rows: Rows, position: number): number {
  return rows[position] as number;
}
