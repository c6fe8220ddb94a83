import { outcomeLines, valueLines } from './describe-account.js';
import type { FullCheck } from '#apps/gateway';

/** What came of a full check, for people. */
export function describeCheck(check: FullCheck): string[] {
  const { messages, values, bytes, waiting, takenByRetention, unreadable, differences } = check;
  return [
    'pemeriksaan penuh jurnal dan basis data / full check of journal and store',
    `pesan di jurnal / messages in the journal                       ${messages.kept}`,
    ...outcomeLines(messages),
    `  hasilnya dihapus retensi / their outcome taken by retention   ${messages.outcomeTakenByRetention}`,
    `  tanpa jejak / without a trace                                 ${messages.unaccounted}`,
    `  hasilnya bukan isi pesannya / not what their bytes say        ${bytes.different}`,
    `  tidak dapat diperiksa / not verifiable: docs/verification.md   ${bytes.notVerifiable}`,
    ...bytes.decoders.map(
      ({ decoder, then, now }) => `    dibaca / read by ${decoder} ${then}, sekarang / which is ${now} now`,
    ),
    ...(bytes.withFlags === false
      ? ['  tanda mutu tidak dibandingkan / flags were not compared: docs/verification.md']
      : []),
    ...valueLines(values),
    `  tersimpan / stored                                            ${values.stored}`,
    `  ditolak basis data / refused by the store                     ${values.refusedByStore}`,
    `  lebih tua dari simpanan / older than the store keeps          ${values.expired}`,
    `  tidak ditemukan / not found in the store                      ${values.missing}`,
    `  lain isinya di basis data / not the same in the store         ${values.different}`,
    `  hanya di basis data / in the store alone                      ${values.unsaid}`,
    `  hanya di basis data, asalnya dihapus retensi / in the store alone, its source taken by retention ${values.notVerifiable}`,
    `belum diperiksa / not checked yet: ${waiting.messages} pesan menunggu / messages waiting, ${waiting.observations} pembacaan menunggu / observations waiting`,
    `dihapus retensi / taken by retention: ${takenByRetention.messages} pesan / messages, ${takenByRetention.observations} pembacaan / observations`,
    ...(unreadable === 0
      ? []
      : [`entri jurnal yang tidak terbaca / journal entries that cannot be read  ${unreadable}`]),
    ...differences.map(describeDifference),
  ];
}

function describeDifference(difference: FullCheck['differences'][number]): string {
  const { device, day } = difference;
  if (difference.part === 'store') {
    const { row, journal, store } = difference;
    return `  BERBEDA / DIFFERENT: ${device} ${day}, basis data / store: ${row}: jurnal / journal ${journal ?? '-'}, basis data / store ${store ?? '-'}`;
  }
  const { stream, shard, offset, uplink } = difference;
  const entry = stream === null ? '-' : `${stream}/${shard} ${offset}`;
  return `  BERBEDA / DIFFERENT: ${device} ${day}, entri / entry: ${entry}, pesan / message uplink/${uplink.shard} ${uplink.offset}`;
}
