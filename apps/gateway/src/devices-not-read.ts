import type { Device } from '#libs/identity';
import type { StateStore } from '#libs/state';
import {
  lastValueAt,
  nothingReadOf,
  UNREAD_MESSAGES,
  type NothingRead,
  type Unread,
} from './nothing-read.js';
import { DEVICE_VIEWS, LATEST_READINGS, type DeviceView, type LatestReadings } from './views.js';

/** Of each device whether it reports without being read; a gateway is read where one of its devices is. */
export async function devicesNotRead(
  state: Pick<StateStore, 'getMany'>,
  devices: readonly Device[],
): Promise<readonly (NothingRead | undefined)[]> {
  const ids = devices.map(({ id }) => id);
  const views = await state.getMany<DeviceView>(DEVICE_VIEWS, ids);
  const latest = await state.getMany<LatestReadings>(LATEST_READINGS, ids);
  const unread = await state.getMany<Unread>(UNREAD_MESSAGES, ids);
  const valueAt = new Map(ids.map((id, i) => [id, lastValueAt(views[i], latest[i])]));
  return devices.map((device, i) => {
    const newest = Math.max(...[device.id, ...(device.speaksFor ?? [])].map((id) => valueAt.get(id) ?? 0));
    return nothingReadOf(device, unread[i], newest === 0 ? undefined : newest);
  });
}
