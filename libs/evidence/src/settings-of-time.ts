import type { Device, Registry, SettingsHistory } from '#libs/identity';
import type { IndicatorRecord, Intervals } from '#libs/indicators';
import type { TimeSpan } from '#libs/kernel';
import { limitsVersion, type QualitySetting } from '#libs/quality-control';

/** How often a device promised to report, and since when; undefined for one that is not registered. */
export async function intervalsOf(
  id: string,
  registry: Registry,
  settings: SettingsHistory = registry.settings,
): Promise<Intervals | undefined> {
  const history = await settings.history<Device>(`device/${id}`);
  if (history.length > 0) return history.map(({ from, value }) => ({ from, intervalMs: value.intervalMs }));
  // Registered before changes were recorded, and never changed since.
  const device = await registry.device(id);
  return device === undefined ? undefined : [{ from: 0, intervalMs: device.intervalMs }];
}

/** The entries of some settings that hold at some time of a span. */
export async function settingsWithin(
  settings: SettingsHistory,
  names: readonly string[],
  span: TimeSpan,
): Promise<Pick<IndicatorRecord, 'settings'>> {
  const held: NonNullable<IndicatorRecord['settings']>[number][] = [];
  for (const name of names) {
    const entries = await settings.history(name);
    for (const [i, { from, digest, value }] of entries.entries()) {
      if (from >= span.to || (entries[i + 1]?.from ?? Infinity) <= span.from) continue;
      const version = name === 'quality' ? { version: limitsVersion(value as QualitySetting) } : {};
      held.push({ name, from: from === 0 ? null : new Date(from).toISOString(), ...version, digest });
    }
  }
  return held.length === 0 ? {} : { settings: held };
}
