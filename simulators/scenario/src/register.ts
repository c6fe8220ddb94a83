import { DAY, formatDuration, SECOND, type UtcMillis } from '#libs/kernel';
import { forEachOf, type PantauApi } from './api.js';
import type { SimulatedKind } from './befall.js';
import type { Scenario } from './scenario.js';

/** Room for the time between reading the clock and the last message's arrival. */
const MARGIN = 2 * DAY;

/**
 * Registers the fleet of a scenario through the public API, and gets each device a token in the place of a password.
 *
 * @param now - devices of a scenario in the past may send readings as old as that
 * @returns tokens by device
 */
export async function registerFleet(
  { file, devices, from }: Scenario,
  api: PantauApi,
  now: UtcMillis,
): Promise<Map<string, string>> {
  for (const { id, name, district, latitude, longitude } of file.fleet.sites)
    await api.put(`sites/${id}`, { name, district, latitude, longitude });
  const age = Math.max(0, now - from) + MARGIN;
  const maxAge = formatDuration(Math.ceil(age / SECOND) * SECOND);
  const tokens = new Map<string, string>();
  await forEachOf(devices, async ({ id, site, kind, name, intervalMs }) => {
    await api.put(`devices/${id}`, {
      site,
      kind: registeredAs(kind),
      name,
      interval: formatDuration(intervalMs),
      maxAge,
    });
    const { token } = await api.post<{ token: string }>(`devices/${id}/tokens`, { expiresIn: '30d' });
    tokens.set(id, token);
  });
  return tokens;
}

/** Pantau has no kind for most devices of the programmes: as a gateway they are neither a station nor a camera in its figures. */
function registeredAs(kind: SimulatedKind): 'air' | 'camera' | 'gateway' {
  if (kind === 'air' || kind === 'camera') return kind;
  return kind === 'garden' ? 'air' : 'gateway';
}
