import { presenceAt } from '#libs/availability';
import type { Device } from '#libs/identity';
import type { GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import { BROKER_RUNS, DEVICE_VIEWS, LATEST_READINGS } from '../namespaces.js';
import { deviceStatus } from '../views/views.js';
import { deviceNotices } from './device-notices.js';
import type { deviceNowSchema } from './devices-answer.js';

export type DeviceNow = Answer<typeof deviceNowSchema>;

/** Devices with what is known of them now, in their order. */
export async function devicesNow(
  { state, clock, administration, presencePolicy }: GatewayDependencies,
  devices: readonly Device[],
): Promise<DeviceNow[]> {
  const ids = devices.map(({ id }) => id);
  const views = await state.getMany(DEVICE_VIEWS, ids);
  const latest = await state.getMany(LATEST_READINGS, ids);
  const runs = (await state.list(BROKER_RUNS)).map(({ value }) => value);
  const now = clock.now();
  const notices = await deviceNotices(state, devices);
  const outOfService = await administration.outOfService(ids);
  return devices.map((device, i) => {
    const { presence, ...known } = deviceStatus(views[i], latest[i]);
    const since = outOfService.get(device.id);
    const view = { ...(since === undefined ? {} : { outOfService: { since } }), ...known, ...notices[i] };
    if (presence === undefined) return { ...device, ...iso(view) };
    const { at, cause } = presence;
    const shown = presenceAt(presence, runs, now, presencePolicy);
    return { ...device, ...iso({ presence: { state: shown, cause, at }, ...view }) };
  });
}
