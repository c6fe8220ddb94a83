import type { IndicatorRecord } from '#libs/indicators';
import type { Journal, Removal } from '#libs/journal';
import { canonicalJson, HOUR, shardOf } from '#libs/kernel';
import { LIVENESS_KEY } from '#libs/telemetry';

/** What came of computing a figure again. */
export interface Recomputation {
  /** `not_verifiable`: retention removed inputs of it, so the journal can neither confirm nor refute it. */
  readonly result: 'equal' | 'different' | 'not_verifiable';
  /** Of what is no longer kept; `removedOn` is absent when it went before removals were recorded. */
  readonly missing?: {
    readonly stream: string;
    readonly shard: number;
    readonly offset: number;
    readonly removedOn?: string;
  };
  readonly record: IndicatorRecord;
  /** From what the journal holds; absent when that is not enough. */
  readonly recomputed?: IndicatorRecord;
}

/**
 * Compares a figure with what the journal says.
 *
 * @param compute - the same figure from the journal alone
 */
export async function verifyFigure(
  record: IndicatorRecord,
  compute: () => Promise<IndicatorRecord>,
  journal: Pick<Journal, 'extent' | 'removals' | 'shards'>,
): Promise<Recomputation> {
  const missing = await missingInput(record, journal);
  if (missing !== undefined) return { result: 'not_verifiable', missing, record };
  const recomputed = await compute();
  const isEqual = canonicalJson(record) === canonicalJson(recomputed);
  return { result: isEqual ? 'equal' : 'different', record, recomputed };
}

type Missing = NonNullable<Recomputation['missing']>;

/** The first input that is no longer kept. */
async function missingInput(
  { provenance: { stream, entries }, subject, period }: IndicatorRecord,
  journal: Pick<Journal, 'extent' | 'removals' | 'shards'>,
): Promise<Missing | undefined> {
  const removals = await journal.removals(stream);
  for (const { shard, offsets } of entries) {
    const offset = offsets[0]?.[0] ?? Infinity;
    if (offset >= (await journal.extent(stream, shard)).first) continue;
    const removal = removals.find(({ shard: of, from, to }) => of === shard && offset >= from && offset < to);
    return missingOf({ stream, shard, offset }, removal);
  }
  if (stream !== 'signals') return undefined;
  // Availability rests on silence too: on what came shortly before the day, and on when Pantau listened.
  const from = Date.parse(period.from) - 24 * HOUR;
  const used = [...removals, ...(await journal.removals('liveness'))];
  const removal = used.find(
    ({ stream: of, shard, appendedUntil }) =>
      appendedUntil >= from &&
      shard === shardOf(of === 'liveness' ? LIVENESS_KEY : subject.device, journal.shards),
  );
  return removal && missingOf({ ...removal, offset: removal.to - 1 }, removal);
}

function missingOf(
  { stream, shard, offset }: Pick<Missing, 'stream' | 'shard' | 'offset'>,
  removal: Removal | undefined,
): Missing {
  const at = { stream, shard, offset };
  return removal === undefined ? at : { ...at, removedOn: new Date(removal.at).toISOString().slice(0, 10) };
}
