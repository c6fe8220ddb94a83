import type { AccessView, Administration, DeviceService } from '#libs/identity';
import type { AuditNote } from '../audit/audit-note.js';

/** Shuts a device or an account out, or lets it in again; nothing where it is so already. @returns what lets it in now */
export async function setService(
  administration: Administration,
  id: string,
  service: DeviceService,
  note: AuditNote,
): Promise<AccessView> {
  const before = await administration.access(id);
  if (before.service !== service) await administration[service === 'open' ? 'reopen' : 'revoke'](id);
  Object.assign(note, { before: { service: before.service }, after: { service } });
  return administration.access(id);
}
