import { union, type Spans } from '#libs/availability';
import type { Device, DeviceService, IntervalCorrection, Registry, SettingsHistory } from '#libs/identity';
import { correctedIntervals, type IndicatorRecord, type Intervals } from '#libs/indicators';
import type { TimeSpan, UtcMillis } from '#libs/kernel';
import { limitsVersion, type QualitySetting } from '#libs/quality-control';
import type { SettingsEntry } from '#libs/streams';

/** How often a device promised to report, and since when; undefined for one that is not registered. */
export async function intervalsOf(
  id: string,
  registry: Registry,
  settings: SettingsHistory = registry.settings,
): Promise<Intervals | undefined> {
  const history = await settings.history<Device>(`device/${id}`);
  // Without one: registered before changes were recorded, and never changed since.
  const now = history.length > 0 ? undefined : await registry.device(id);
  if (history.length === 0 && now === undefined) return undefined;
  const promised: Intervals =
    now === undefined
      ? history.map(({ from, value }) => ({ from, intervalMs: value.intervalMs }))
      : [{ from: 0, intervalMs: now.intervalMs }];
  const corrections = await settings.history<IntervalCorrection>(`interval/${id}`);
  return corrections.reduce<Intervals>(
    (intervals, { from, value }) => correctedIntervals(intervals, from, value.until, value.intervalMs),
    promised,
  );
}

/** When a device was out of service: shut out, and not let in again. */
export async function outOfService(id: string, settings: SettingsHistory): Promise<Spans> {
  const entries = await settings.history<DeviceService>(`access/${id}`);
  return union(
    entries.flatMap(({ from, value }, i) =>
      value === 'revoked' ? [{ from, to: entries[i + 1]?.from ?? Infinity }] : [],
    ),
  );
}

/** The entries of some settings that hold at some time of a span. */
export async function settingsWithin(
  settings: SettingsHistory,
  names: readonly string[],
  span: TimeSpan,
): Promise<NonNullable<IndicatorRecord['settings']>> {
  const held: NonNullable<IndicatorRecord['settings']>[number][] = [];
  for (const name of names) {
    const entries = await settings.history(name);
    for (const [i, { from, digest, value }] of entries.entries()) {
      if (from >= span.to || untilOf(entries, i) <= span.from) continue;
      const version = name === 'quality' ? { version: limitsVersion(value as QualitySetting) } : {};
      held.push({ name, from: from === 0 ? null : new Date(from).toISOString(), ...version, digest });
    }
  }
  return held;
}

/** A correction says itself until when it holds; everything else until the next entry. */
function untilOf(entries: readonly SettingsEntry[], i: number): UtcMillis {
  const { name, value } = entries[i] as SettingsEntry;
  return name.startsWith('interval/')
    ? (value as IntervalCorrection).until
    : (entries[i + 1]?.from ?? Infinity);
}
