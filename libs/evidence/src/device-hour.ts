import type { Sample } from '#libs/indicators';
import { hourOf, type UtcMillis } from '#libs/kernel';
import type { JournalRef, Parameter, QualityFlag } from '#libs/telemetry';

/** What is sampled: a parameter, or whether a camera is up. A heartbeat is kept as 1 (up) or 0 (down). */
export type Series = Parameter | 'heartbeat';

/** One value of a message. */
export interface SeriesValue {
  readonly parameter: Series;
  readonly value: number;
  readonly flag: QualityFlag;
}

/**
 * What one device reported in one hour, as it is stored: a row a message, `[instant, shard, offset, number of values]`, and
 * then `[series and flag, value]` for each of its values. Rows are in order of time, and of one series and instant there
 * is one value, the last that came. So a message that arrives twice, late or out of order leads to the same hour.
 *
 * Numbers alone, because this is written again with every message of the device: as objects with names it took most of
 * the time of the stage.
 */
export type DeviceHour = readonly number[];

const ROW_HEAD = 4;
const CELL = 2;
/** Flags have one digit. */
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

/** Order of the keys is order of time within a device. */
export function hourKey(device: string, ts: UtcMillis): string {
  return `${device}/${String(hourOf(ts)).padStart(15, '0')}`;
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
  for (const { parameter, value, flag } of values)
    rows.push(SERIES_CODES[parameter] * SERIES_STEP + flag, value);
}

/** Puts rows, in the order in which they came, into the hour of their device. */
export function mergeHour(hour: DeviceHour, arrived: DeviceHour): DeviceHour {
  const joined = hour.length === 0 ? arrived : hour.concat(arrived);
  return isOrdered(arrived, newestOf(hour)) ? joined : inOrder(joined);
}

/** The samples of one series, in order of time. */
export function samplesOf(hour: DeviceHour, series: Series): Sample[] {
  const wanted = SERIES_CODES[series];
  const samples: Sample[] = [];
  for (let row = 0, end = 0; row < hour.length; row = end) {
    end = endOf(hour, row);
    for (let cell = row + ROW_HEAD; cell < end; cell += CELL) {
      if (seriesAt(hour, cell) !== wanted) continue;
      const { shard, offset } = refAt(hour, row);
      const flag = (at(hour, cell) % SERIES_STEP) as QualityFlag;
      samples.push({ ts: at(hour, row), value: at(hour, cell + 1), flag, shard, offset });
    }
  }
  return samples;
}

/** Whether the rows are newer than an instant, each than the one before, and none has a series twice. */
function isOrdered(rows: DeviceHour, after: UtcMillis): boolean {
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

function inOrder(rows: DeviceHour): DeviceHour {
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

function newestOf(hour: DeviceHour): UtcMillis {
  let newest = -Infinity;
  for (let row = 0; row < hour.length; row = endOf(hour, row)) newest = at(hour, row);
  return newest;
}

function startsOf(rows: DeviceHour): number[] {
  const starts: number[] = [];
  for (let row = 0; row < rows.length; row = endOf(rows, row)) starts.push(row);
  return starts;
}

function endOf(rows: DeviceHour, row: number): number {
  return row + ROW_HEAD + at(rows, row + 3) * CELL;
}

function refAt(rows: DeviceHour, row: number): JournalRef {
  return { shard: at(rows, row + 1), offset: at(rows, row + 2) };
}

function seriesAt(rows: DeviceHour, cell: number): number {
  return Math.floor(at(rows, cell) / SERIES_STEP);
}

/** The position exists: rows are whole. */
function at(rows: DeviceHour, position: number): number {
  return rows[position] as number;
}
