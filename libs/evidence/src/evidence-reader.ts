import { union, type Spans } from '#libs/availability';
import { registeredAt, type Device, type Registry, type SettingsHistory } from '#libs/identity';
import {
  functionOf,
  hourlyRollup,
  intervalIn,
  periodOf,
  type DeviceInputs,
  type HourlyRollup,
  type IndicatorDefinition,
  type IndicatorRecord,
  type Intervals,
  type SeriesName,
} from '#libs/indicators';
import type { Parameter } from '#libs/telemetry';
import { HOUR, hourOf, PantauError, type TimeSpan } from '#libs/kernel';
import { cursorOf, newestDays, type DayCursor, type DaySeries } from './days.js';
import type { EvidenceSource } from './evidence-source.js';
import { indicatorCatalogue } from './indicator-catalogue.js';
import { intervalsOf, outOfService, settingsWithin } from './settings-of-time.js';

/** Which indicator records are wanted; days are calendar days of the regency, both ends included. */
export interface IndicatorQuery {
  readonly indicator?: string;
  readonly device?: string;
  readonly site?: string;
  readonly from?: string;
  readonly to?: string;
  /** Only what comes after this in the list. */
  readonly after?: DayCursor;
  /** At most this many, newest day first. */
  readonly limit: number;
}

export interface IndicatorPage {
  readonly items: IndicatorRecord[];
  /** When there are more: `after` of the query that goes on. */
  readonly next?: string;
}

/** Computes indicators from a source, the same way whichever it is. */
export class EvidenceReader {
  constructor(
    private readonly registry: Registry,
    private readonly source: EvidenceSource,
    /** Says what the settings were at the time of a figure. */
    private readonly settings: SettingsHistory = registry.settings,
    /** Those that come with Pantau by default. */
    readonly definitions: readonly IndicatorDefinition[] = indicatorCatalogue(),
  ) {}

  /**
   * Records of every day from the registration of a device to now, or to when it was shut out, and of those of which it has data
   * from before; newest first.
   */
  async list(query: IndicatorQuery): Promise<IndicatorPage> {
    const series: DaySeries[] = [];
    const devices = await this.registry.devices();
    for (const device of devices) {
      if ((query.device ?? device.id) !== device.id || (query.site ?? device.site) !== device.site) continue;
      for (const definition of this.definitions) {
        const { key, deviceKind } = definition;
        if (deviceKind !== device.kind || (query.indicator ?? key) !== key) continue;
        series.push({ device: device.id, indicator: key, spans: await this.#spans(device, definition) });
      }
    }
    const wanted = newestDays(series, query);
    const items: IndicatorRecord[] = [];
    for (const { device: id, indicator, date } of wanted.slice(0, query.limit)) {
      const device = devices.find((candidate) => candidate.id === id);
      if (device !== undefined) items.push(await this.#compute(device, this.definition(indicator), date));
    }
    const last = wanted[query.limit - 1];
    return { items, ...(wanted.length > query.limit && last !== undefined ? { next: cursorOf(last) } : {}) };
  }

  /** @throws PantauError `NOT_FOUND` for a device or indicator that is not there, `OUT_OF_RANGE` for a day that does not exist */
  async get(indicator: string, deviceId: string, date: string): Promise<IndicatorRecord> {
    const device = await this.registry.device(deviceId);
    if (device === undefined) throw new PantauError('NOT_FOUND', `no device ${deviceId}.`);
    const definition = this.definition(indicator);
    if (definition.deviceKind !== device.kind)
      throw new PantauError(
        'NOT_FOUND',
        `${indicator} is not computed for ${deviceId}, which is of kind ${device.kind}.`,
      );
    return this.#compute(device, definition, date);
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
      const intervalMs = intervalIn(intervals, { from: hour, to: hour + HOUR });
      rollups.push(hourlyRollup(hour, samples.slice(first, next), intervalMs));
    }
    return rollups;
  }

  /** The time of which there are days of a figure. */
  async #spans(device: Device, definition: IndicatorDefinition): Promise<Spans> {
    const of = functionOf(definition);
    const reach = await this.source.reach(device.id, of.series(definition.arguments));
    if (reach === undefined && !of.isOwed && (await this.source.hasReported(device.id))) return [];
    const registered = registeredAt(await this.settings.history(`device/${device.id}`));
    const shutOut = (await outOfService(device.id, this.settings)).at(-1);
    const now = await this.source.awakeUntil();
    const until = shutOut?.to === Infinity ? Math.min(now, shutOut.from) : now;
    return union([
      ...(reach === undefined ? [] : [{ from: reach.from, to: reach.to + 1 }]),
      ...(registered === undefined ? [] : [{ from: registered, to: Math.max(registered, until) + 1 }]),
    ]);
  }

  async #compute(device: Device, definition: IndicatorDefinition, name: string): Promise<IndicatorRecord> {
    const period = periodOf(definition.period, name);
    const of = functionOf(definition);
    const subject = { site: device.site, device: device.id };
    const settings = await settingsWithin(
      this.settings,
      [`device/${device.id}`, `interval/${device.id}`, ...of.settings(device.id)],
      period,
    );
    const question = { definition, args: definition.arguments, subject, period };
    return { ...(await of.compute(question, [this.#inputsOf(device)])), ...settings };
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
