import { dailyRollup, hourlyRollup, type Intervals } from '#libs/indicators';
import {
  HOUR,
  hourOf,
  localDateOf,
  localDaySpan,
  type TimeSpan,
  type UtcMillis,
  sortable,
} from '#libs/kernel';
import type { Namespace } from '#libs/state';
import type { Observation, Parameter, Rollup } from '#libs/telemetry';
import { BUCKET, bucketKeys, samplesOf, type DeviceBucket } from './device-bucket-form.js';
import {
  figuresOf,
  hourOfDay,
  isSameFigures,
  rollupOf,
  SERIES_DAY_FORM,
  type DeviceDay,
  type EmittedHour,
  type Figures,
  type OpenHours,
  type SeriesDay,
  type StoredDay,
  type TouchedHour,
} from './device-day-form.js';
import { BUCKETS, DEVICE_DAYS, OPEN_HOURS } from '../namespaces.js';

const PER_HOUR = HOUR / BUCKET;

/** What the stage remembers, as a batch sees it. */
export interface StageMemory {
  getMany<T>(namespace: Namespace<T>, keys: readonly string[]): Promise<(T | undefined)[]>;
  put<T>(namespace: Namespace<T>, key: string, value: NoInfer<T> | undefined): void;
}

/** A device with the hours, by series, into which readings of a batch fall; the open ones are left out: nothing to be done. */
interface TouchedDevice {
  readonly device: string;
  readonly open: OpenHours;
  readonly series: Map<Parameter, TouchedHour[]>;
}

/** Hours of a series that are over, in order of time. */
interface Closing {
  readonly parameter: Parameter;
  readonly over: readonly TouchedHour[];
  /** Of the series, at the end of the batch. */
  readonly openHour: UtcMillis;
}

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
    const stored = await memory.getMany(OPEN_HOURS, [...unknown]);
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
 * @param intervalsOf - how often a device promised to report, and since when
 */
export async function downSample(
  touched: TouchedHours,
  memory: StageMemory,
  intervalsOf: (device: string) => Promise<Intervals>,
): Promise<Rollup[]> {
  const rollups: Rollup[] = [];
  // None, for all but one batch an hour.
  for (const { device, open, series } of touched.devices()) {
    const after: Partial<Record<Parameter, TouchedHour>> = { ...open };
    const closing: Closing[] = [];
    for (const [parameter, hours] of series) {
      const before = open[parameter];
      const newest = hours.reduce(
        (latest, candidate) => (candidate.hour > latest.hour ? candidate : latest),
        before ?? NEVER,
      );
      after[parameter] = newest;
      const over = hours.filter(({ hour }) => hour < newest.hour);
      if (before !== undefined && before.hour < newest.hour) over.push(before);
      over.sort((a, b) => a.hour - b.hour);
      if (over.length > 0) closing.push({ parameter, over, openHour: newest.hour });
    }
    if (closing.length > 0)
      rollups.push(...(await close(device, closing, memory, await intervalsOf(device))));
    memory.put(OPEN_HOURS, device, after);
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

/** Rolls up hours that are over, and their days; gives what is new or has changed, in the order in which it ended. */
async function close(
  device: string,
  closing: readonly Closing[],
  memory: StageMemory,
  intervals: Intervals,
): Promise<Rollup[]> {
  const hours = [...new Set(closing.flatMap(({ over }) => over.map(({ hour }) => hour)))].sort(
    (a, b) => a - b,
  );
  const buckets = await memory.getMany(
    BUCKETS,
    hours.flatMap((hour) => bucketKeys(device, hour)),
  );
  const bucketsOf = (hour: UtcMillis): readonly (DeviceBucket | undefined)[] => {
    const first = hours.indexOf(hour) * PER_HOUR;
    return buckets.slice(first, first + PER_HOUR);
  };
  const spans = daysOf(hours);
  const days = await memory.getMany(
    DEVICE_DAYS,
    spans.map(({ from }) => dayKey(device, from)),
  );
  const rollups: Rollup[] = [];
  for (const [d, span] of spans.entries()) {
    const before = days[d] ?? NO_DAY;
    const after: Partial<Record<Parameter, StoredDay>> = { ...before };
    for (const { parameter, over, openHour } of closing) {
      const ofDay = over.filter(({ hour }) => hour >= span.from && hour < span.to);
      if (ofDay.length === 0) continue;
      const figuresOfHour = (hour: UtcMillis): HourFigures => {
        const rollup = hourlyRollup(hour, samplesOf(bucketsOf(hour), parameter), intervals);
        const { isValid, withoutUnusual } = rollup;
        return { isValid, figures: figuresOf(rollup, withoutUnusual.isValid ? 1 : 0) };
      };
      const stored = before[parameter];
      const known = stored && SERIES_DAY_FORM.unpack(stored);
      const { day, changed } = closeDay(known, ofDay, span, span.to <= openHour, figuresOfHour);
      if (day !== undefined) after[parameter] = SERIES_DAY_FORM.pack(day);
      for (const { tier, site, from, to, figures } of changed)
        rollups.push(rollupOf(tier, { site, device, parameter }, { from, to }, figures));
    }
    memory.put(DEVICE_DAYS, dayKey(device, span.from), after);
  }
  // The parameters of an hour together: the store has one line for them.
  return rollups.sort((a, b) => a.to - b.to);
}

interface HourFigures {
  readonly isValid: boolean;
  readonly figures: Figures;
}

/** What is new or has changed of a day. */
interface Change extends TimeSpan {
  readonly tier: Rollup['tier'];
  readonly site: string;
  readonly figures: Figures;
}

/**
 * The day of a series after some of its hours are over.
 *
 * @param isOver - the day too
 */
function closeDay(
  known: SeriesDay | undefined,
  over: readonly TouchedHour[],
  span: TimeSpan,
  isOver: boolean,
  figuresOfHour: (hour: UtcMillis) => HourFigures,
): { day: SeriesDay | undefined; changed: readonly Change[] } {
  const changed: Change[] = [];
  const hours = [...(known?.hours ?? [])];
  let site = known?.site;
  for (const { hour, site: siteOfHour } of over) {
    const place = hours.findIndex((emitted) => emitted.hour === hour);
    const emitted = hours[place];
    const { isValid, figures } = figuresOfHour(hour);
    if (emitted !== undefined && isSameFigures(emitted.figures, figures)) continue;
    const after: EmittedHour = { hour, site: emitted?.site ?? siteOfHour, isValid, figures };
    if (emitted === undefined) hours.push(after);
    else hours[place] = after;
    site ??= siteOfHour;
    changed.push({ tier: 'hour', site: after.site, from: hour, to: hour + HOUR, figures });
  }
  if (site === undefined) return { day: undefined, changed };
  hours.sort((a, b) => a.hour - b.hour);
  const before = known?.figures;
  if (!isOver) return { day: { site, hours, figures: before }, changed };
  const rollup = dailyRollup(hours.map(hourOfDay));
  const figures = figuresOf(rollup, rollup.withoutUnusual.valid);
  if (before === undefined || !isSameFigures(before, figures))
    changed.push({ tier: 'day', site, ...span, figures });
  return { day: { site, hours, figures }, changed };
}

const NO_DAY: DeviceDay = {};

function dayKey(device: string, start: UtcMillis): string {
  return `${device}/${sortable(start)}`;
}

/** The calendar days of the regency into which hours fall, in order of time as these. */
function daysOf(hours: readonly UtcMillis[]): TimeSpan[] {
  const days: TimeSpan[] = [];
  for (const hour of hours) if (hour >= (days.at(-1)?.to ?? -Infinity)) days.push(dayOf(hour));
  return days;
}

/** The calendar day of the regency that holds the instant, in explicit UTC. */
function dayOf(at: UtcMillis): TimeSpan {
  const span = localDaySpan(localDateOf(hourOf(at)));
  // Only a year of five digits has no such text, and no time policy lets one in.
  return span ?? { from: hourOf(at), to: hourOf(at) };
}
