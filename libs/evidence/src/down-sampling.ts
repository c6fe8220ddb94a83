import { dailyRollup, hourlyRollup } from '#libs/indicators';
import {
  HOUR,
  hourOf,
  localDateOf,
  localDaySpan,
  type Millis,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import type { Observation, Parameter, Rollup } from '#libs/telemetry';
import { BUCKETS } from './buckets.js';
import { BUCKET, bucketKeys, samplesOf, type DeviceBucket } from './device-bucket.js';

/** The newest hour of each series of a device, which is open, and the days with what was emitted of them. */
const OPEN = 'evidence/open-hours';
const DAYS = 'evidence/day-figures';

const PER_HOUR = HOUR / BUCKET;

/** What the stage remembers, as a batch sees it. */
export interface StageMemory {
  getMany<T>(namespace: string, keys: readonly string[]): Promise<(T | undefined)[]>;
  put(namespace: string, key: string, value: unknown): void;
}

type OpenHours = Readonly<Partial<Record<Parameter, TouchedHour>>>;

interface TouchedHour {
  readonly hour: UtcMillis;
  /** Of the first reading of the series and hour in the batch. */
  readonly site: string;
}

/** A device with the hours, by series, into which readings of a batch fall; the open ones are left out: nothing to be done. */
interface TouchedDevice {
  readonly device: string;
  readonly open: OpenHours;
  readonly series: Map<Parameter, TouchedHour[]>;
}

/** Stored as lists: a day is written again with every hour of its device. */
type Figures = readonly [
  expected: number,
  received: number,
  valid: number,
  mean: number | null,
  min: number | null,
  max: number | null,
];

/** An hour as it was emitted. It stays under the site of its first reading, so that a correction replaces it. */
type EmittedHour = readonly [hour: UtcMillis, site: string, isValid: boolean, figures: Figures];

/** The hours in order of time, and the figures of the day once it was emitted. */
type DayState = readonly [site: string, hours: readonly EmittedHour[], day?: Figures];

/** The hours that the readings of a batch touch, as they come. To be kept for the batch, and then forgotten. */
export class TouchedHours {
  readonly #open = new Map<string, OpenHours>();
  readonly #touched = new Map<string, TouchedDevice>();

  async add(
    observations: readonly { readonly data: Pick<Observation, 'site' | 'device' | 'ts' | 'readings'> }[],
    memory: StageMemory,
  ): Promise<void> {
    const unknown = new Set<string>();
    for (const { data } of observations) if (!this.#open.has(data.device)) unknown.add(data.device);
    const stored = await memory.getMany<OpenHours>(OPEN, [...unknown]);
    let i = 0;
    for (const device of unknown) this.#open.set(device, stored[i++] ?? NOTHING_OPEN);
    for (const { data } of observations) this.#touch(data);
  }

  /** Those with something to be done. */
  devices(): Iterable<TouchedDevice> {
    return this.#touched.values();
  }

  #touch({ device, site, ts, readings }: Pick<Observation, 'site' | 'device' | 'ts' | 'readings'>): void {
    const hour = hourOf(ts);
    const open = this.#open.get(device) ?? NOTHING_OPEN;
    for (const { parameter } of readings) {
      if (open[parameter]?.hour === hour) continue;
      let ofDevice = this.#touched.get(device);
      if (ofDevice === undefined) this.#touched.set(device, (ofDevice = { device, open, series: new Map() }));
      touch(ofDevice.series, parameter, hour, site);
    }
  }
}

/**
 * The roll-ups that a batch brings about: of every hour that is over because a later one of its series has begun, of every
 * hour that was over and has changed, and of the calendar days of those hours that are over.
 *
 * Time is that of the events and the open hour is left alone, so what stands at the end does not depend on how the
 * journal was cut into batches. The work is bounded by the touched hours: of a day its hours are kept, not its readings.
 *
 * @param touched - by the batch; the buckets in the memory hold its readings already
 * @param intervalOf - how often a device promises to report
 */
export async function downSample(
  touched: TouchedHours,
  memory: StageMemory,
  intervalOf: (device: string) => Promise<Millis>,
): Promise<Rollup[]> {
  const rollups: Rollup[] = [];
  // None, for all but one batch an hour.
  for (const { device, open, series } of touched.devices()) {
    const after: Partial<Record<Parameter, TouchedHour>> = { ...open };
    let intervalMs: Millis | undefined;
    for (const [parameter, hours] of series) {
      const before = open[parameter];
      const newest = hours.reduce(
        (latest, candidate) => (candidate.hour > latest.hour ? candidate : latest),
        before ?? NEVER,
      );
      after[parameter] = newest;
      const over = hours.filter(({ hour }) => hour < newest.hour);
      if (before !== undefined && before.hour < newest.hour) over.push(before);
      if (over.length === 0) continue;
      over.sort((a, b) => a.hour - b.hour);
      intervalMs ??= await intervalOf(device);
      rollups.push(...(await close(device, parameter, over, newest.hour, memory, intervalMs)));
    }
    memory.put(OPEN, device, after);
  }
  return rollups;
}

const NOTHING_OPEN: OpenHours = {};
const NEVER: TouchedHour = { hour: -Infinity, site: '' };

function touch(series: TouchedDevice['series'], parameter: Parameter, hour: UtcMillis, site: string): void {
  const hours = series.get(parameter);
  if (hours === undefined) series.set(parameter, [{ hour, site }]);
  else if (hours.at(-1)?.hour !== hour && !hours.some((known) => known.hour === hour))
    hours.push({ hour, site });
}

/** Rolls up hours that are over, given in order of time, and their days; gives what is new or has changed. */
async function close(
  device: string,
  parameter: Parameter,
  over: readonly TouchedHour[],
  openHour: UtcMillis,
  memory: StageMemory,
  intervalMs: Millis,
): Promise<Rollup[]> {
  const keys = over.map(({ hour }) => bucketKeys(device, hour));
  const buckets = await memory.getMany<DeviceBucket>(BUCKETS, keys.flat());
  const spans = daysOf(over);
  const days = await memory.getMany<DayState>(
    DAYS,
    spans.map(({ from }) => dayKey(device, parameter, from)),
  );
  const rollups: Rollup[] = [];
  for (const [d, span] of spans.entries()) {
    const known = days[d];
    const hours = [...(known?.[1] ?? [])];
    let site = known?.[0];
    for (const [i, touched] of over.entries()) {
      const { hour } = touched;
      if (hour < span.from || hour >= span.to) continue;
      const place = hours.findIndex(([emitted]) => emitted === hour);
      const emitted = hours[place];
      const ofHour = buckets.slice(i * PER_HOUR, (i + 1) * PER_HOUR);
      const rollup = hourlyRollup(hour, samplesOf(ofHour, parameter), intervalMs);
      const figures = figuresOf(rollup);
      if (emitted !== undefined && isSame(emitted[3], figures)) continue;
      const changed: EmittedHour = [hour, emitted?.[1] ?? touched.site, rollup.isValid, figures];
      if (emitted === undefined) hours.push(changed);
      else hours[place] = changed;
      site ??= touched.site;
      const series = { site: changed[1], device, parameter };
      rollups.push(rollupOf('hour', series, { from: hour, to: hour + HOUR }, figures));
    }
    if (site === undefined) continue;
    hours.sort(([a], [b]) => a - b);
    let day = known?.[2];
    if (span.to <= openHour) {
      const changed = figuresOf(dailyRollup(hours.map(hourOfDay)));
      if (day === undefined || !isSame(day, changed))
        rollups.push(rollupOf('day', { site, device, parameter }, span, changed));
      day = changed;
    }
    const after: DayState = day === undefined ? [site, hours] : [site, hours, day];
    memory.put(DAYS, dayKey(device, parameter, span.from), after);
  }
  return rollups;
}

function dayKey(device: string, parameter: Parameter, start: UtcMillis): string {
  return `${device}/${parameter}/${String(start).padStart(15, '0')}`;
}

function figuresOf({
  expected,
  received,
  valid,
  mean,
  min,
  max,
}: Pick<Rollup, 'expected' | 'received' | 'valid' | 'mean' | 'min' | 'max'>): Figures {
  return [expected, received, valid, mean, min, max];
}

function hourOfDay([, , isValid, [, received, , mean, min, max]]: EmittedHour): Parameters<
  typeof dailyRollup
>[0][number] {
  return { received, isValid, mean, min, max };
}

function rollupOf(
  tier: Rollup['tier'],
  { site, device, parameter }: Pick<Rollup, 'site' | 'device' | 'parameter'>,
  { from, to }: TimeSpan,
  [expected, received, valid, mean, min, max]: Figures,
): Rollup {
  return { site, device, parameter, tier, from, to, expected, received, valid, mean, min, max };
}

function isSame(a: Figures, b: Figures): boolean {
  return a.every((figure, i) => figure === b[i]);
}

/** The calendar days of the regency into which hours fall, in order of time as these. */
function daysOf(hours: readonly TouchedHour[]): TimeSpan[] {
  const days: TimeSpan[] = [];
  for (const { hour } of hours) if (hour >= (days.at(-1)?.to ?? -Infinity)) days.push(dayOf(hour));
  return days;
}

/** The calendar day of the regency that holds the instant, in explicit UTC. */
function dayOf(at: UtcMillis): TimeSpan {
  const span = localDaySpan(localDateOf(hourOf(at)));
  // Only a year of five digits has no such text, and no time policy lets one in.
  return span ?? { from: hourOf(at), to: hourOf(at) };
}
