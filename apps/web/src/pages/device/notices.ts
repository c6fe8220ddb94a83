import type { DeviceNow } from '../../../client';
import { dictionary } from '../../core/language.svelte';
import { rounded } from '../../core/lasting';
import { show } from '../../core/show.svelte';
import { reasons } from '../refused/reasons';

/** What somebody should know of a device, and what can be done, in the reader's language. */
export interface Notice {
  readonly means: string;
  readonly remedy: string;
}

const words = dictionary(
  {
    nothingRead: (reason: string) => `Melapor, tetapi tidak ada yang terbaca: ${reason}.`,
    unkeptInterval: (often: string, promised: string) =>
      `Pembacaan datang tiap ${often}, bukan tiap ${promised} seperti yang didaftarkan.`,
    unkeptRemedy:
      'Angka dan peringatan memakai yang didaftarkan. Perbaiki selangnya di registrasi, atau setel alatnya.',
    lateHistory: (messages: string) => `${messages} kiriman terlalu lama, dan ditolak setelah diterima.`,
    lateRemedy:
      'Naikkan umur pembacaan yang diterima (device set --max-age). Yang sudah ditolak: unggah sebagai CSV.',
  },
  {
    nothingRead: (reason: string) => `It reports, but nothing is read: ${reason}.`,
    unkeptInterval: (often: string, promised: string) =>
      `Readings come every ${often}, not every ${promised} as registered.`,
    unkeptRemedy:
      'Figures and alerts go by what is registered. Correct its interval in the registry, or set the device.',
    lateHistory: (messages: string) =>
      `${messages} messages were too old, and refused after they were acknowledged.`,
    lateRemedy:
      'Raise the age that its readings may have (device set --max-age). What was refused already: upload it as CSV.',
  },
);

const inside = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;

export function noticesOf({ nothingRead, unkeptInterval, lateHistory }: DeviceNow): readonly Notice[] {
  const found: Notice[] = [];
  if (nothingRead !== undefined) {
    const { means, remedy } = reasons[nothingRead.reason];
    found.push({ means: words.nothingRead(inside(means)), remedy });
  }
  if (unkeptInterval !== undefined) {
    const [often, promised] = [unkeptInterval.observedMs, unkeptInterval.registeredMs];
    found.push({
      means: words.unkeptInterval(show.duration(rounded(often)), show.duration(promised)),
      remedy: words.unkeptRemedy,
    });
  }
  if (lateHistory !== undefined)
    found.push({ means: words.lateHistory(show.number(lateHistory.messages, 0)), remedy: words.lateRemedy });
  return found;
}
