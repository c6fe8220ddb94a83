import { LATER_FIGURES } from '#libs/timeseries';
import type { Place } from './influx-options.js';
import { READING_NAMES } from './influx-readings.js';

/** How a place is laid out. */
export interface Layout {
  /** As InfluxQL names it. Readings are in the database's default retention policy. */
  readonly from: string;
  /** What is kept for each parameter. */
  readonly names: readonly string[];
  /** The one of them that is always there. */
  readonly present: string;
  /** Fields of a point beside those of its parameters. */
  readonly shared: readonly string[];
}

export const ROLLUP_NAMES = {
  names: ['expected', 'received', 'valid', 'mean', 'min', 'max', ...LATER_FIGURES],
  present: 'received',
  shared: [],
} as const;
export const LAYOUTS: Readonly<Record<Place, Layout>> = {
  raw: { from: 'reading', names: READING_NAMES, present: 'value', shared: ['receivedAt'] },
  hour: { from: '"hour"."rollup_hour"', ...ROLLUP_NAMES },
  day: { from: '"day"."rollup_day"', ...ROLLUP_NAMES },
};
