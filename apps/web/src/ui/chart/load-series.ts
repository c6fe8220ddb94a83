import {
  readingsControllerEnvelope,
  readingsControllerReadings,
  type EnvelopeBucket,
  type Parameter,
  type Reading,
} from '../../../client';
import { answer } from '../../api/call';
import type { Doubted, Gap, Point } from './series';
import { words } from './words';

/** More readings than these are drawn together: a screen has fewer pixels. */
const MOST_READINGS = 2_000;
const MOST_BUCKETS = 1_500;
/** A part of time without a reading is a gap then. */
const INTERVALS_OF_BUCKET = 3;

/** The values of a series in a span. */
export interface LoadedSeries {
  readonly points: readonly Point[];
  /** Of readings together how long a part of time is. */
  readonly bucketMs?: number;
  readonly readings: number;
}

/**
 * Each reading where they are few, else what a chart of any length shows of them: a peak of one reading stays.
 *
 * @param pixels - of the chart
 */
export async function loadSeries(
  { device, parameter, from, to }: Gap & { readonly device: string; readonly parameter: Parameter },
  intervalMs: number,
  pixels: number,
  signal: AbortSignal,
): Promise<LoadedSeries> {
  const query = { device, parameter, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const expected = (to - from) / intervalMs;
  if (expected <= MOST_READINGS) {
    const each = await answer(
      readingsControllerReadings({ query: { ...query, order: 'asc', limit: MOST_READINGS }, signal }),
    );
    // A device may send more than it promises.
    if (each.truncated !== true) return { points: each.items.map(pointOf), readings: each.items.length };
  }
  const fit = Math.min(MOST_BUCKETS, Math.max(200, Math.ceil(pixels / 100) * 100));
  const buckets = expected <= MOST_READINGS ? fit : Math.min(fit, Math.floor(expected / INTERVALS_OF_BUCKET));
  const { items, bucketMs } = await answer(
    readingsControllerEnvelope({ query: { ...query, buckets }, signal }),
  );
  const points = items.map((bucket) => togetherOf(bucket, bucketMs, { from, to }));
  return { points, bucketMs, readings: points.reduce((sum, { count = 0 }) => sum + count, 0) };
}

/** One reading. */
export function pointOf({
  ts,
  value,
  flag,
  failed,
  doubt,
}: Pick<Reading, 'ts' | 'value' | 'flag' | 'failed' | 'doubt'>): Point {
  const why = [failed === undefined ? undefined : words.failed(failed.join(', ')), doubt]
    .filter(Boolean)
    .join('; ');
  return { ts: Date.parse(ts), value, flag, ...(why === '' ? {} : { why }) };
}

/** The readings of a bucket together, within what is shown. */
function togetherOf({ ts, trusted, suspect, failed }: EnvelopeBucket, bucketMs: number, shown: Gap): Point {
  const from = Math.max(Date.parse(ts), shown.from);
  const to = Math.min(Date.parse(ts) + bucketMs, shown.to) - 1;
  const doubted = (
    [
      [3, suspect],
      [4, failed],
    ] as const
  ).flatMap(([flag, of]): Doubted[] =>
    of === undefined ? [] : [{ flag, count: of.count, min: of.min, max: of.max }],
  );
  return {
    ...{ ts: (from + to) / 2, from, to },
    // Where all is doubted the line goes on, as it does through single readings, with marks.
    value: (trusted ?? suspect ?? failed)?.mean ?? null,
    ...{ min: trusted?.min ?? null, max: trusted?.max ?? null },
    count: [trusted, suspect, failed].reduce((sum, of) => sum + (of?.count ?? 0), 0),
    ...(doubted.length === 0 ? {} : { doubted }),
  };
}
