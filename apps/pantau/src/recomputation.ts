import type { Recomputation } from '#libs/evidence';

/** What came of computing a figure again, for people. */
export function describeRecomputation({ result, missing }: Recomputation): string {
  if (result === 'equal')
    return 'Sama byte demi byte dari jurnal. / The same, byte for byte, from the journal.';
  if (result === 'different') return 'BERBEDA dari jurnal! / NOT the same from the journal!';
  const { stream = '', shard = 0, offset = 0, removedOn } = missing ?? {};
  const place = `${stream}/${shard}, ${offset}`;
  return [
    `Tidak dapat diperiksa: masukan (${place}) tidak disimpan lagi, dihapus menurut retensi${removedOn === undefined ? '' : ` pada ${removedOn}`}.`,
    `/ Cannot be verified: inputs (${place}) are no longer kept, removed by retention${removedOn === undefined ? '' : ` on ${removedOn}`}.`,
  ].join(' ');
}
