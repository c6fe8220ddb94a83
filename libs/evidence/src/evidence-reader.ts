import { deviceTimeline } from '#libs/availability';
import type { Device, Registry, SettingsHistory } from '#libs/identity';
import {
  CAMERA_AVAILABILITY,
  cameraAvailability,
  hourlyRollup,
  INDICATORS,
  intervalAt,
  intervalIn,
  pm25DailyMean,
  type HourlyRollup,
  type Intervals,
  type IndicatorRecord,
} from '#libs/indicators';
import type { Parameter } from '#libs/telemetry';
import { DAY, HOUR, hourOf, localDateOf, localDaySpan, PantauError, type TimeSpan } from '#libs/kernel';
import type { EvidenceSource } from './evidence-source.js';
import { intervalsOf, settingsWithin } from './settings-of-time.js';

/** Which indicator records are wanted; days are calendar days of the regency, both ends included. */
export interface IndicatorQuery {
  readonly indicator?: string;
  readonly device?: string;
  readonly site?: string;
  readonly from?: string;
  readonly to?: string;
  /** At most this many, newest day first. */
  readonly limit: number;
}

/** A heartbeat may come this share of its interval late before silence counts. */
const GRACE_SHARE = 0.5;

/** Computes indicators from a source, the same way whichever it is. */
export class EvidenceReader {
  constructor(
    private readonly registry: Registry,
    private readonly source: EvidenceSource,
    /** Says what the settings were at the time of a figure. */
    private readonly settings: SettingsHistory = registry.settings,
  ) {}

  /** Records of every day on which the device has data, and of the days between; newest first. */
  async list(query: IndicatorQuery): Promise<IndicatorRecord[]> {
    const devices = (await this.registry.devices()).filter(
      ({ id, site }) => (query.device ?? id) === id && (query.site ?? site) === site,
    );
    const wanted: { device: Device; indicator: string; date: string }[] = [];
    for (const device of devices) {
      for (const { key, deviceKind } of INDICATORS) {
        if (deviceKind !== device.kind || (query.indicator ?? key) !== key) continue;
        for (const date of await this.#dates(device, key, query))
          wanted.push({ device, indicator: key, date });
      }
    }
    wanted.sort(
      (a, b) =>
        compare(b.date, a.date) || compare(a.indicator, b.indicator) || compare(a.device.id, b.device.id),
    );
    const records: IndicatorRecord[] = [];
    for (const { device, indicator, date } of wanted.slice(0, query.limit))
      records.push(await this.#compute(device, indicator, date));
    return records;
  }

  /** @throws PantauError `NOT_FOUND` for a device or indicator that is not there, `OUT_OF_RANGE` for a day that does not exist */
  async get(indicator: string, deviceId: string, date: string): Promise<IndicatorRecord> {
    const device = await this.registry.device(deviceId);
    const definition = INDICATORS.find(({ key }) => key === indicator);
    if (device === undefined) throw new PantauError('NOT_FOUND', `no device ${deviceId}.`);
    if (definition === undefined)
      throw new PantauError('NOT_FOUND', `no indicator ${indicator}.`, {
        remedy: `Known: ${INDICATORS.map(({ key }) => key).join(', ')}.`,
      });
    if (definition.deviceKind !== device.kind)
      throw new PantauError(
        'NOT_FOUND',
        `${indicator} is not computed for ${deviceId}, which is of kind ${device.kind}.`,
      );
    return this.#compute(device, indicator, date);
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

  async #dates(device: Device, indicator: string, { from, to, limit }: IndicatorQuery): Promise<string[]> {
    const reach = await this.source.reach(
      device.id,
      indicator === CAMERA_AVAILABILITY.key ? 'heartbeat' : 'pm25',
    );
    if (reach === undefined) return [];
    const first = localDateOf(reach.from);
    const dates: string[] = [];
    for (let at = reach.to; dates.length < limit; at -= DAY) {
      const date = localDateOf(at);
      if (date < first || (from !== undefined && date < from)) break;
      if (to === undefined || date <= to) dates.push(date);
    }
    return dates;
  }

  async #compute(device: Device, indicator: string, date: string): Promise<IndicatorRecord> {
    const span = localDaySpan(date);
    if (span === undefined)
      throw new PantauError('OUT_OF_RANGE', `"${date}" is not a calendar day; expected YYYY-MM-DD.`);
    const subject = { site: device.site, device: device.id };
    const intervals = await this.#intervals(device);
    const settings = await settingsWithin(
      this.settings,
      [`device/${device.id}`, indicator === CAMERA_AVAILABILITY.key ? 'liveness' : 'quality'],
      span,
    );
    if (indicator !== CAMERA_AVAILABILITY.key) {
      const samples = await this.source.samples(device.id, 'pm25', span);
      return { ...pm25DailyMean(subject, date, samples, intervals), ...settings };
    }
    const intervalMs = intervalIn(intervals, span);
    const graceMs = intervalMs * GRACE_SHARE;
    const window = await this.#accountable(device, span);
    // A heartbeat of before the window may still speak for its beginning.
    const heartbeats = await this.source.heartbeats(device.id, {
      from: window.from - Math.max(intervalMs, intervalAt(intervals, window.from)) * (1 + GRACE_SHARE),
      to: window.to,
    });
    const timeline = deviceTimeline({
      window,
      heartbeats,
      observed: await this.source.observed(),
      intervalMs,
      intervalAt: (ts) => intervalAt(intervals, ts),
      graceMs,
    });
    const method = { intervalMs, graceMs };
    return { ...cameraAvailability(subject, date, window, timeline, heartbeats, method), ...settings };
  }

  async #intervals(device: Device): Promise<Intervals> {
    return (await intervalsOf(device.id, this.registry, this.settings)) ?? [];
  }

  /** The part of the day after the camera's first sign of life and up to what is known by now. */
  async #accountable(device: Device, day: TimeSpan): Promise<TimeSpan> {
    const reach = await this.source.reach(device.id, 'heartbeat');
    const known = Math.max(reach?.to ?? 0, await this.source.awakeUntil());
    const to = Math.max(day.from, Math.min(day.to, known));
    return { from: Math.min(to, Math.max(day.from, reach?.from ?? day.from)), to };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
