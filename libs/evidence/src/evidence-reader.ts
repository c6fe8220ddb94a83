import { deviceTimeline, union, type Spans } from '#libs/availability';
import { registeredAt, type Device, type Registry, type SettingsHistory } from '#libs/identity';
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
import { HOUR, hourOf, localDaySpan, PantauError, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { cursorOf, newestDays, type DayCursor, type DaySeries } from './days.js';
import type { EvidenceSource } from './evidence-source.js';
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

  /**
   * Records of every day from the registration of a device to now, or to when it was shut out, and of those of which it has data
   * from before; newest first.
   */
  async list(query: IndicatorQuery): Promise<IndicatorPage> {
    const series: DaySeries[] = [];
    const devices = await this.registry.devices();
    for (const device of devices) {
      if ((query.device ?? device.id) !== device.id || (query.site ?? device.site) !== device.site) continue;
      for (const { key, deviceKind } of INDICATORS) {
        if (deviceKind !== device.kind || (query.indicator ?? key) !== key) continue;
        series.push({ device: device.id, indicator: key, spans: await this.#spans(device, key) });
      }
    }
    const wanted = newestDays(series, query);
    const items: IndicatorRecord[] = [];
    for (const { device: id, indicator, date } of wanted.slice(0, query.limit)) {
      const device = devices.find((candidate) => candidate.id === id);
      if (device !== undefined) items.push(await this.#compute(device, indicator, date));
    }
    const last = wanted[query.limit - 1];
    return { items, ...(wanted.length > query.limit && last !== undefined ? { next: cursorOf(last) } : {}) };
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

  /** The time of which there are days of a figure. */
  async #spans(device: Device, indicator: string): Promise<Spans> {
    const isCamera = indicator === CAMERA_AVAILABILITY.key;
    const reach = await this.source.reach(device.id, isCamera ? 'heartbeat' : 'pm25');
    // A station that measures other things owes no PM2.5.
    if (reach === undefined && !isCamera && (await this.source.hasReported(device.id))) return [];
    const registered = registeredAt(await this.settings.history(`device/${device.id}`));
    const shutOut = (await outOfService(device.id, this.settings)).at(-1);
    const now = await this.source.awakeUntil();
    const until = shutOut?.to === Infinity ? Math.min(now, shutOut.from) : now;
    return union([
      ...(reach === undefined ? [] : [{ from: reach.from, to: reach.to + 1 }]),
      ...(registered === undefined ? [] : [{ from: registered, to: Math.max(registered, until) + 1 }]),
    ]);
  }

  async #compute(device: Device, indicator: string, date: string): Promise<IndicatorRecord> {
    const span = localDaySpan(date);
    if (span === undefined)
      throw new PantauError('OUT_OF_RANGE', `"${date}" is not a calendar day; expected YYYY-MM-DD.`);
    const subject = { site: device.site, device: device.id };
    const intervals = await this.#intervals(device);
    const isCamera = indicator === CAMERA_AVAILABILITY.key;
    const names = isCamera ? [`access/${device.id}`, 'liveness'] : ['quality'];
    const settings = await settingsWithin(
      this.settings,
      [`device/${device.id}`, `interval/${device.id}`, ...names],
      span,
    );
    if (!isCamera) {
      const samples = await this.source.samples(device.id, 'pm25', span);
      return { ...pm25DailyMean(subject, date, samples, intervals), ...settings };
    }
    const intervalMs = intervalIn(intervals, span);
    const graceMs = intervalMs * GRACE_SHARE;
    const { firstSign, ...window } = await this.#accountable(device, span);
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
      outOfService: await outOfService(device.id, this.settings),
    });
    const method = { intervalMs, graceMs };
    const record = cameraAvailability(subject, date, window, timeline, heartbeats, method, firstSign);
    return { ...record, ...settings };
  }

  async #intervals(device: Device): Promise<Intervals> {
    return (await intervalsOf(device.id, this.registry, this.settings)) ?? [];
  }

  /**
   * The part of the day after the camera's registration, or its first sign of life if that is earlier, up to what is known by now;
   * empty at the end of a day before, and at the beginning of a day to come.
   */
  async #accountable(device: Device, day: TimeSpan): Promise<TimeSpan & { readonly firstSign: UtcMillis }> {
    const reach = await this.source.reach(device.id, 'heartbeat');
    const registered = registeredAt(await this.settings.history(`device/${device.id}`));
    const known = Math.max(reach?.to ?? 0, await this.source.awakeUntil());
    const firstSign = reach?.from ?? Infinity;
    const since = Math.min(firstSign, registered ?? (reach === undefined ? -Infinity : Infinity));
    if (since >= day.to) return { from: day.to, to: day.to, firstSign };
    const to = Math.min(day.to, known);
    const from = Math.max(day.from, since);
    return from < to ? { from, to, firstSign } : { from: day.from, to: day.from, firstSign };
  }
}
