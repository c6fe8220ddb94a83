import type { DecoderChange, Missing } from '#libs/evidence';
import { messageOf } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { openStore, storeKeepsFrom, systemClock, type Engines } from '../storage/engines.js';
import { ingestOptions } from '../configuration/ingest-options.js';
import { verify, type Verification } from './verification.js';

/** Computes a figure again; where another process holds the store, that alone is left out. */
export async function recomputed(
  engines: Engines,
  config: LoadedConfig,
  indicator: string,
  subject: string,
  period: string,
): Promise<Verification> {
  const ingest = await ingestOptions(config, engines.registry);
  const { livenessBeat } = config;
  const now = systemClock.now();
  const verifying = { engines, ingest, livenessBeat, now, keptFrom: storeKeepsFrom(config) };
  const store = await openStore(config).catch(messageOf);
  if (typeof store === 'string') return verify({ ...verifying, store }, indicator, subject, period);
  try {
    return await verify({ ...verifying, store }, indicator, subject, period);
  } finally {
    await store.close();
  }
}

/** What came of computing a figure again, for people. */
export function describeRecomputation({
  result,
  missing,
  difference,
  decoder,
  store,
}: Verification): string[] {
  const notCompared =
    store.result === 'not_verifiable'
      ? [
          `Basis data tidak dibandingkan: ${store.reason ?? ''} / The store was not compared: ${store.reason ?? ''}`,
        ]
      : [];
  if (decoder !== undefined) return [decodedOtherwise(decoder), ...notCompared];
  return [sentence(result, missing, difference), ...notCompared];
}

function decodedOtherwise({ decoder, then, now }: DecoderChange): string {
  return [
    `not_verifiable: Tidak dapat diperiksa, pesannya dibaca atau dinilai "${decoder}" versi ${then}, sekarang versi ${now}.`,
    `/ Cannot be verified, its messages were read or judged by "${decoder}" version ${then}, which is version ${now} now.`,
  ].join(' ');
}

function sentence(
  result: Verification['result'],
  missing: Missing | undefined,
  difference: Verification['difference'],
): string {
  if (result === 'equal')
    return 'equal: Sama byte demi byte dari jurnal. / The same, byte for byte, from the journal.';
  if (result === 'different') {
    const place = difference === undefined ? '' : ` (${placeOf(difference)})`;
    return `different: BERBEDA dari jurnal${place}! / NOT the same from the journal${place}!`;
  }
  const { stream = '', shard = 0, offset = 0, removedOn } = missing ?? {};
  const place = `${stream}/${shard}, ${offset}`;
  return [
    `not_verifiable: Tidak dapat diperiksa, masukan (${place}) tidak disimpan lagi, dihapus menurut retensi${removedOn === undefined ? '' : ` pada ${removedOn}`}.`,
    `/ Cannot be verified, inputs (${place}) are no longer kept, removed by retention${removedOn === undefined ? '' : ` on ${removedOn}`}.`,
  ].join(' ');
}

function placeOf({
  part,
  stream,
  shard,
  offset,
  uplink,
  row,
}: NonNullable<Verification['difference']>): string {
  const from = uplink === undefined ? '' : `, uplink/${uplink.shard} ${uplink.offset}`;
  return `${part}: ${stream}/${shard} ${offset ?? '-'}${from}${row === undefined ? '' : `, ${row}`}`;
}
