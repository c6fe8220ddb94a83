import type { AccessView, Administration, DeviceService } from '#libs/identity';
import type { AuditNote } from '../audit/audit-note.js';
import { assertUnchanged, type Precondition } from '../exchange/conditional.js';
import { iso } from '../http/iso.js';

/**
 * Shuts a device or an account out, or lets it in again; nothing where it is so already.
 *
 * @returns what lets it in now
 * @throws PantauError `CHANGED_MEANWHILE`
 */
export async function setService(
  administration: Administration,
  id: string,
  service: DeviceService,
  note: AuditNote,
  precondition: Precondition,
): Promise<AccessView> {
  const before = await administration.access(id);
  const check = async (): Promise<void> =>
    assertUnchanged(iso(await administration.access(id)), precondition);
  if (before.service === service) await check();
  else await administration[service === 'open' ? 'reopen' : 'revoke'](id, check);
  Object.assign(note, { before: { service: before.service }, after: { service } });
  return administration.access(id);
}
