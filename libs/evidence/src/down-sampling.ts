import { dailyRollup, hourlyRollup, type DailyRollup, type HourlyRollup } from '#libs/indicators';
import {
  HOUR,
  hourOf,
  localDateOf,
  localDaySpan,
  type Millis,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import type { Parameter, Rollup } from '#libs/telemetry';
import { hourKey, HOURS, type DeviceHour } from './buckets.js';

/** The newest hour of each series, which is open, and the days with what was emitted of them. */
const SERIES = 'evidence/series';
const DAYS = 'evidence/days';

/** What the stage remembers, as a batch sees it. */
export interface StageMemory {
  getMany<T>(namespace: string, keys: readonly string[]): Promise<(T | undefined)[]>;
  put(namespace: string, key: string, value: unknown): void;
}

/** A series that got readings in a batch, and the hours that they fall into. */
export interface TouchedSeries {
  readonly device: string;
  readonly parameter: Parameter;
  /** Each once, with the site of the first of its readings in the batch. */
  readonly hours: readonly TouchedHour[];
}

interface TouchedHour {
  readonly hour: UtcMillis;
  readonly site: string;
}

/** An hour or day as it was emitted. It stays under the site of its first reading, so that a correction replaces it. */
interface EmittedHour {
  readonly site: string;
  readonly rollup: HourlyRollup;
}

interface DayState {
  readonly site: string;
  /** By start. */
  readonly hours: Readonly<Record<UtcMillis, EmittedHour>>;
  /** Once it was emitted. */
  readonly day?: DailyRollup;
}

/**
 * The roll-ups that a batch brings about: of every hour that is over because a later one of its series has begun, of every
 * hour that was over and has changed, and of the calendar days of those hours that are over.
 *
 * Time is that of the events and the open hour is left alone, so what stands at the end does not depend on how the
 * journal was cut into batches. The work is bounded by the touched hours: of a day its hours are kept, not its readings.
 *
 * @param touched - each series once; the buckets in the memory hold its new readings already
 * @param intervalOf - how often a device promises to report
 */
export async function downSample(
  touched: readonly TouchedSeries[],
  memory: StageMemory,
  intervalOf: (device: string) => Promise<Millis>,
): Promise<Rollup[]> {
  const keys = touched.map(({ device, parameter }) => `${device}/${parameter}`);
  const open = await memory.getMany<TouchedHour>(SERIES, keys);
  const rollups: Rollup[] = [];
  for (const [i, series] of touched.entries()) {
    const before = open[i];
    const newest = series.hours.reduce(
      (latest, candidate) => (candidate.hour > latest.hour ? candidate : latest),
      before ?? { hour: -Infinity, site: '' },
    );
    if (newest !== before) memory.put(SERIES, keys[i] ?? '', newest);
    const over = series.hours.filter(({ hour }) => hour < newest.hour && hour !== before?.hour);
    if (before !== undefined && before.hour < newest.hour) over.push(before);
    // Nothing, for all but one batch an hour.
    if (over.length === 0) continue;
    const hours = over.toSorted((a, b) => a.hour - b.hour);
    rollups.push(
      ...(await close({ ...series, hours }, newest.hour, memory, await intervalOf(series.device))),
    );
  }
  return rollups;
}

/** Rolls up hours that are over, given in order of time, and their days; gives what is new or has changed. */
async function close(
  { device, parameter, hours: over }: TouchedSeries,
  openHour: UtcMillis,
  memory: StageMemory,
  intervalMs: Millis,
): Promise<Rollup[]> {
  const buckets = await memory.getMany<DeviceHour>(
    HOURS,
    over.map(({ hour }) => hourKey(device, hour)),
  );
  const starts = [...new Set(over.map(({ hour }) => dayOf(hour).from))];
  const days = await memory.getMany<DayState>(
    DAYS,
    starts.map((from) => dayKey(device, parameter, from)),
  );
  const rollups: Rollup[] = [];
  for (const [d, start] of starts.entries()) {
    const span = dayOf(start);
    const known = days[d];
    const hours: Record<UtcMillis, EmittedHour> = { ...known?.hours };
    let site = known?.site;
    for (const [i, touched] of over.entries()) {
      const { hour } = touched;
      if (hour < span.from || hour >= span.to) continue;
      const emitted = hours[hour];
      const rollup = hourlyRollup(hour, buckets[i]?.[parameter] ?? [], intervalMs);
      if (emitted !== undefined && isSame(emitted.rollup, rollup)) continue;
      hours[hour] = { site: emitted?.site ?? touched.site, rollup };
      site ??= touched.site;
      const series = { site: hours[hour].site, device, parameter };
      rollups.push(rollupOf('hour', series, { from: hour, to: hour + HOUR }, rollup));
    }
    if (site === undefined) continue;
    let day = known?.day;
    if (span.to <= openHour) {
      const inOrder = Object.values(hours).map(({ rollup }) => rollup);
      const changed = dailyRollup(inOrder.toSorted((a, b) => a.hour - b.hour));
      if (day === undefined || !isSame(day, changed))
        rollups.push(rollupOf('day', { site, device, parameter }, span, changed));
      day = changed;
    }
    const after: DayState = { site, hours, ...(day === undefined ? {} : { day }) };
    memory.put(DAYS, dayKey(device, parameter, start), after);
  }
  return rollups;
}

function dayKey(device: string, parameter: Parameter, start: UtcMillis): string {
  return `${device}/${parameter}/${String(start).padStart(15, '0')}`;
}

type Figures = Pick<Rollup, 'expected' | 'received' | 'valid' | 'mean' | 'min' | 'max'>;

function rollupOf(
  tier: Rollup['tier'],
  series: Pick<Rollup, 'site' | 'device' | 'parameter'>,
  { from, to }: TimeSpan,
  { expected, received, valid, mean, min, max }: Figures,
): Rollup {
  return { ...series, tier, from, to, expected, received, valid, mean, min, max };
}

function isSame(a: Figures, b: Figures): boolean {
  return (['expected', 'received', 'valid', 'mean', 'min', 'max'] as const).every(
    (figure) => a[figure] === b[figure],
  );
}

/** The calendar day of the regency that holds the instant, in explicit UTC. */
function dayOf(at: UtcMillis): TimeSpan {
  const span = localDaySpan(localDateOf(hourOf(at)));
  // Only a year of five digits has no such text, and no time policy lets one in.
  return span ?? { from: hourOf(at), to: hourOf(at) };
}
