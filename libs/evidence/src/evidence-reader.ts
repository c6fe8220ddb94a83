import {
  connectionSpans,
  deviceTimeline,
  union,
  type ConnectionState,
  type Spans,
  type Timeline,
} from '#libs/availability';
import {
  registeredAt,
  RegistryCache,
  type Device,
  type Registry,
  type SettingsHistory,
} from '#libs/identity';
import {
  functionOf,
  hourlyRollup,
  intervalAt,
  intervalIn,
  periodOf,
  type DeviceInputs,
  type HourlyRollup,
  type IndicatorDefinition,
  type IndicatorRecord,
  type Intervals,
  type SeriesName,
} from '#libs/indicators';
import type { JournalRef, Parameter } from '#libs/telemetry';
import {
  compareTexts,
  defined,
  HOUR,
  hourOf,
  localDaySpan,
  PantauError,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import type { EvidenceSource } from './evidence-source.js';
import { newestFigures, type FigureCursor, type FigureSeries } from './figures/figures.js';
import { indicatorCatalogue } from './figures/indicator-catalogue.js';
import { definitionAt } from './figures/indicator-history.js';
import { intervalsOf, outOfService, settingsWithin } from './settings-of-time.js';
import { Subjects, type SubjectDevices } from './figures/subjects.js';

/** Which indicator records are wanted. */
export interface IndicatorQuery {
  readonly indicator?: string;
  /** Those of this device. */
  readonly device?: string;
  /** Those of this site, and of its devices. */
  readonly site?: string;
  /** Those of periods that begin on these days of the regency, both ends included. */
  readonly from?: string;
  readonly to?: string;
  /** Only what comes after this in the list. */
  readonly after?: FigureCursor;
  /** At most this many, newest period first. */
  readonly limit: number;
}

/** A figure that there should be, with why it cannot be computed. */
export interface NotComputed extends FigureCursor {
  readonly reason: string;
}

export interface IndicatorPage {
  readonly items: IndicatorRecord[];
  /** What is of this page too, and cannot be computed. */
  readonly notComputed: NotComputed[];
  /** When there are more: `after` of the query that goes on. */
  readonly next?: FigureCursor;
}

/** A heartbeat may be later than promised by this share of the interval, as in the indicator of availability. */
const GRACE_SHARE = 0.5;

/** Computes indicators from a source, the same way whichever it is. */
export class EvidenceReader {
  /** Made when the registry has changed, and not by every question. */
  readonly #subjects: RegistryCache<Subjects>;

  constructor(
    private readonly registry: Registry,
    private readonly source: EvidenceSource,
    /** Says what the settings were at the time of a figure. */
    private readonly settings: SettingsHistory = registry.settings,
    /** Those that come with Pantau by default. */
    readonly definitions: readonly IndicatorDefinition[] = indicatorCatalogue(),
  ) {
    this.#subjects = new RegistryCache(registry, () => Subjects.read(registry));
  }

  /**
   * Records of every period from the registration of the devices of a subject to now, or to when they were shut out, and of those of
   * which they have data from before; newest first. One that cannot be computed takes none of the others with it.
   */
  async list({ device, site, from, to, after, limit, ...query }: IndicatorQuery): Promise<IndicatorPage> {
    const subjects = await this.#subjects.current();
    const now = await this.source.awakeUntil();
    const series = this.definitions
      .filter(({ key }) => (query.indicator ?? key) === key)
      .toSorted((a, b) => compareTexts(a.key, b.key))
      .flatMap((definition) =>
        [...subjects.of(definition).values()].filter(isOf(device, site)).map((subject): FigureSeries => ({
          ...{ indicator: definition.key, subject: subject.name, unit: definition.period },
          spans: () => this.#spansOf(subject, definition, now),
        })),
      );
    const [first, latest] = [localDaySpan(from ?? ''), localDaySpan(to ?? '')];
    // A period that has not begun has no figure, whatever a clock that is ahead says; without a sign of life nobody knows the time.
    const begun = now === 0 ? Infinity : now + 1;
    const bounds = defined({ after, from: first?.from });
    const before = Math.min(begun, latest?.to ?? Infinity);
    const wanted = await newestFigures(series, { ...bounds, before, limit });
    const items: IndicatorRecord[] = [];
    const notComputed: NotComputed[] = [];
    for (const figure of wanted.slice(0, limit)) {
      const definition = this.definition(figure.indicator);
      try {
        items.push(
          await this.#compute(subjects.named(definition, figure.subject), definition, figure.period),
        );
      } catch (error) {
        if (!isOfOneFigure(error)) throw error;
        notComputed.push({ ...figure, reason: error.message });
      }
    }
    const last = wanted[limit - 1];
    return {
      items,
      notComputed,
      ...(wanted.length > limit && last !== undefined ? { next: last } : {}),
    };
  }

  /**
   * @param subject - its name: the id of a device or site, a district, or `regency`
   * @param period - its name ({@link Period})
   * @throws PantauError `NOT_FOUND`, `DEVICE_UNKNOWN` or `SITE_UNKNOWN` for a subject or indicator that is not there, `OUT_OF_RANGE` for
   * a period that does not exist or a figure of too many inputs
   */
  async get(indicator: string, subject: string, period: string): Promise<IndicatorRecord> {
    const definition = this.definition(indicator);
    return this.#compute(await this.subject(indicator, subject), definition, period);
  }

  /** A subject of an indicator with its devices. @throws PantauError as {@link get} */
  async subject(indicator: string, name: string): Promise<SubjectDevices> {
    return (await this.#subjects.current()).named(this.definition(indicator), name);
  }

  /** @throws PantauError `NOT_FOUND` for an indicator that is not there */
  definition(indicator: string): IndicatorDefinition {
    const found = this.definitions.find(({ key }) => key === indicator);
    if (found !== undefined) return found;
    throw new PantauError('NOT_FOUND', `no indicator ${indicator}.`, {
      remedy: `Known: ${this.definitions.map(({ key }) => key).join(', ')}.`,
    });
  }

  /** The series of a device on which an indicator rests. */
  seriesOf(indicator: string): SeriesName {
    const definition = this.definition(indicator);
    return functionOf(definition).series(definition.arguments);
  }

  /**
   * Every whole hour of the span, the hours without a reading too.
   *
   * @throws PantauError `NOT_FOUND` for a device that is not there
   */
  async rollups(deviceId: string, parameter: Parameter, { from, to }: TimeSpan): Promise<HourlyRollup[]> {
    const device = await this.registry.device(deviceId);
    if (device === undefined) throw new PantauError('NOT_FOUND', `no device ${deviceId}.`);
    const samples = await this.source.samples(deviceId, parameter, { from: hourOf(from), to });
    const rollups: HourlyRollup[] = [];
    const intervals = await this.#intervals(device);
    let next = 0;
    for (let hour = hourOf(from); hour < to; hour += HOUR) {
      const first = next;
      while ((samples[next]?.ts ?? Infinity) < hour + HOUR) next++;
      rollups.push(hourlyRollup(hour, samples.slice(first, next), intervals));
    }
    return rollups;
  }

  /**
   * Why each moment of a span counts as it does for a device, as far as Pantau has been awake. Who sends no heartbeats is `silent` where Pantau
   * listened: whether readings came then is another question.
   *
   * @throws PantauError `NOT_FOUND` for a device that is not there
   */
  async timeline(deviceId: string, span: TimeSpan): Promise<Timeline> {
    const device = await this.registry.device(deviceId);
    if (device === undefined) throw new PantauError('NOT_FOUND', `no device ${deviceId}.`);
    const window = await this.#awake(span);
    const intervals = await this.#intervals(device);
    const intervalMs = intervalIn(intervals, window);
    const longest = Math.max(intervalMs, intervalAt(intervals, window.from));
    return deviceTimeline({
      ...{ window, intervalMs, graceMs: intervalMs * GRACE_SHARE },
      intervalAt: (ts) => intervalAt(intervals, ts),
      heartbeats: await this.source.heartbeats(deviceId, {
        from: window.from - longest * (1 + GRACE_SHARE),
        to: window.to,
      }),
      observed: await this.source.observed(),
      outOfService: await outOfService(deviceId, this.settings),
    });
  }

  /** Whether a device held a connection of MQTT, as far as Pantau has been awake. What never held one, or speaks over HTTP, has none of these. */
  async connections(device: string, span: TimeSpan): Promise<Readonly<Record<ConnectionState, Spans>>> {
    const window = await this.#awake(span);
    const changes = await this.source.connections(device, window);
    return connectionSpans({ window, changes, runs: await this.source.runs() });
  }

  async #awake({ from, to }: TimeSpan): Promise<TimeSpan> {
    const until = Math.min(to, await this.source.awakeUntil());
    return { from: Math.min(from, until), to: until };
  }

  /** The entry of the stream `readings` that said a reading last; undefined where the evidence stage knows of none. */
  async entryOf(device: string, parameter: Parameter, ts: UtcMillis): Promise<JournalRef | undefined> {
    const [sample] = await this.source.samples(device, parameter, { from: ts, to: ts + 1 });
    return sample === undefined ? undefined : { shard: sample.shard, offset: sample.offset };
  }

  async #spansOf(
    { devices }: SubjectDevices,
    definition: IndicatorDefinition,
    now: UtcMillis,
  ): Promise<Spans> {
    const spans: TimeSpan[] = [];
    for (const device of devices) spans.push(...(await this.#spans(device, definition, now)));
    return union(spans);
  }

  /** The time of which there are days of a figure. */
  async #spans(device: Device, definition: IndicatorDefinition, now: UtcMillis): Promise<Spans> {
    const of = functionOf(definition);
    const reach = await this.source.reach(device.id, of.series(definition.arguments));
    if (reach === undefined && !of.isOwed && (await this.source.hasReported(device.id))) return [];
    const registered = registeredAt(await this.settings.history(`device/${device.id}`));
    const shutOut = (await outOfService(device.id, this.settings)).at(-1);
    const until = shutOut?.to === Infinity ? Math.min(now, shutOut.from) : now;
    return union([
      ...(reach === undefined ? [] : [{ from: reach.from, to: reach.to + 1 }]),
      ...(registered === undefined ? [] : [{ from: registered, to: Math.max(registered, until) + 1 }]),
    ]);
  }

  async #compute(
    { subject, devices }: SubjectDevices,
    current: IndicatorDefinition,
    name: string,
  ): Promise<IndicatorRecord> {
    const period = periodOf(current.period, name);
    const { definition, said } = await definitionAt(this.settings, current, period);
    const of = functionOf(definition);
    const names = devices.flatMap(({ id }) => [`device/${id}`, `interval/${id}`, ...of.settings(id)]);
    const held = [...(await settingsWithin(this.settings, [...new Set(names)], period)), ...said];
    const question = { definition, args: definition.arguments, subject, period };
    const record = await of.compute(
      question,
      devices.map((device) => this.#inputsOf(device)),
    );
    return { ...record, ...(held.length === 0 ? {} : { settings: held }) };
  }

  #inputsOf(device: Device): DeviceInputs {
    const { id } = device;
    const { source, settings } = this;
    return {
      ...{ site: device.site, device: id },
      samples: (parameter, span) => source.samples(id, parameter, span),
      heartbeats: (span) => source.heartbeats(id, span),
      intervals: () => this.#intervals(device),
      registered: async () => registeredAt(await settings.history(`device/${id}`)),
      outOfService: () => outOfService(id, settings),
      reach: (series) => source.reach(id, series),
      observed: () => source.observed(),
      awakeUntil: () => source.awakeUntil(),
    };
  }

  async #intervals(device: Device): Promise<Intervals> {
    return (await intervalsOf(device.id, this.registry, this.settings)) ?? [];
  }
}

/** Whether it says that this figure cannot be computed; anything else is a fault of what all are computed from. */
function isOfOneFigure(error: unknown): error is PantauError {
  return error instanceof PantauError && ['NOT_FOUND', 'OUT_OF_RANGE'].includes(error.code);
}

/** Subjects that are this device; that are this site, or devices of it. */
function isOf(device: string | undefined, site: string | undefined) {
  return ({ subject }: SubjectDevices): boolean =>
    (device === undefined || device === subject.device) &&
    (site === undefined || ('site' in subject && subject.site === site));
}
