import type { Device } from '#libs/identity';
import { defined, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { paceOf } from '../views/latest-readings-form.js';
import { lastValueAt, nothingReadOf, type NothingRead } from '../views/nothing-read.js';
import { unkeptIntervalOf, type UnkeptInterval } from '../views/pace.js';
import { rejectionKey, type RejectionCount } from '../views/views.js';
import { DEVICE_VIEWS, LATEST_READINGS, REJECTION_COUNTS, UNREAD_MESSAGES } from '../namespaces.js';

/** Of history that a device sent although its readings may not be so old: it was acknowledged, and then refused. */
export interface LateHistory {
  readonly messages: number;
  /** Arrival of the newest. */
  readonly at: UtcMillis;
  readonly message: string;
  readonly remedy: string;
}

/** What somebody should know of a device; nothing while it does as it is registered. */
export interface DeviceNotices {
  readonly nothingRead?: NothingRead;
  readonly unkeptInterval?: UnkeptInterval;
  readonly lateHistory?: LateHistory;
}

/** In the order of the devices. */
export async function deviceNotices(
  state: Pick<StateStore, 'getMany'>,
  devices: readonly Device[],
): Promise<readonly DeviceNotices[]> {
  const ids = devices.map(({ id }) => id);
  const views = await state.getMany(DEVICE_VIEWS, ids);
  const latest = await state.getMany(LATEST_READINGS, ids);
  const unread = await state.getMany(UNREAD_MESSAGES, ids);
  const late = await state.getMany(
    REJECTION_COUNTS,
    ids.map((id) => rejectionKey('too_late', id)),
  );
  const valueAt = new Map(ids.map((id, i) => [id, lastValueAt(views[i], latest[i])]));
  return devices.map((device, i) => {
    // A gateway is read where one of its devices is.
    const newest = Math.max(...[device.id, ...(device.speaksFor ?? [])].map((id) => valueAt.get(id) ?? 0));
    return defined({
      nothingRead: nothingReadOf(device, unread[i], newest === 0 ? undefined : newest),
      unkeptInterval: unkeptIntervalOf(device, latest[i] && paceOf(latest[i])),
      lateHistory: lateHistoryOf(device, late[i]),
    });
  });
}

function lateHistoryOf({ id }: Device, late: RejectionCount | undefined): LateHistory | undefined {
  if (late === undefined) return undefined;
  return {
    messages: late.count,
    at: late.lastAt,
    message:
      'Sebagian kirimannya terlalu lama dan ditolak setelah diterima. / ' +
      'Some of what it sent was too old and was refused after it had been acknowledged.',
    remedy:
      `npm run -s pantau -- device set ${id} --max-age 90d; yang sudah ditolak: unggah sebagai CSV (pantau upload). / ` +
      'What was refused already: upload it as CSV (pantau upload).',
  };
}
