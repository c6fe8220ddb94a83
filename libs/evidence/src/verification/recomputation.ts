import type { IndicatorRecord, SeriesName } from '#libs/indicators';
import type { Journal, Removal } from '#libs/journal';
import { canonicalJson, HOUR, shardOf } from '#libs/kernel';
import { LIVENESS_KEY, type JournalRef } from '#libs/telemetry';
import type { EvidenceSource } from '../evidence-source.js';

export type Result = 'equal' | 'different' | 'not_verifiable';

/** Where something is first that the journal does not say. */
export interface Difference {
  /**
   * `entries`: what ingest wrote is not what the bytes of the uplink say; `state`: what the evidence stage remembers is not what
   * the journal says; `store`: a row of the time-series store is not. `settings`: the settings that a figure names.
   */
  readonly part: 'entries' | 'state' | 'store' | 'settings';
  readonly stream: string;
  readonly shard: number;
  /** Null when the stream has no such entry. */
  readonly offset: number | null;
  /** With `entries`: the message that says otherwise. */
  readonly uplink?: JournalRef;
  /** With `store`: time and parameter, and value, flag and failed tests by the journal and by the store; null: nothing. */
  readonly row?: string;
  readonly journal?: string | null;
  readonly store?: string | null;
}

/** Of what is no longer kept; `removedOn` is absent when it went before removals were recorded. */
export interface Missing {
  readonly stream: string;
  readonly shard: number;
  readonly offset: number;
  readonly removedOn?: string;
}

/** Another version of what decodes a message was in force when it arrived: it may have read it otherwise. */
export interface DecoderChange {
  /** Name of a codec; `pantau` for its own format and for what is made of what a codec read; `quality` for the tests that give flags. */
  readonly decoder: string;
  /** Versions; 0 where there was none. */
  readonly then: number;
  readonly now: number;
}

/** What came of comparing one link of the chain from the bytes to the figure. */
export interface Check {
  readonly result: Result;
  readonly difference?: Difference;
  readonly missing?: Missing;
  /** With `not_verifiable`: instead of something that is missing. */
  readonly decoder?: DecoderChange;
}

/** What came of computing a figure again. */
export interface Recomputation extends Check {
  /** `not_verifiable`: retention removed inputs of it, or another version decoded them, so the journal can neither confirm nor refute it. */
  readonly result: Result;
  readonly record: IndicatorRecord;
  /** From what the journal holds; absent when that is not enough. */
  readonly recomputed?: IndicatorRecord;
}

/**
 * Compares a figure with what the journal says.
 *
 * @param devices - of its subject
 * @param compute - the same figure from the journal alone
 * @param entries - compares the entries it is computed from with the bytes of the device
 * @param locate - finds where the state differs, when the figure does
 */
export async function verifyFigure(
  record: IndicatorRecord,
  compute: () => Promise<IndicatorRecord>,
  journal: Pick<Journal, 'extent' | 'removals' | 'shards'>,
  devices: readonly string[],
  entries: () => Promise<Check> = () => Promise.resolve({ result: 'equal' }),
  locate: () => Promise<Difference | undefined> = () => Promise.resolve(undefined),
): Promise<Recomputation> {
  const missing = await missingInput(record, journal, devices);
  if (missing !== undefined) return { result: 'not_verifiable', missing, record };
  const check = await entries();
  const recomputed = await compute();
  if (check.result === 'different') return { ...check, record, recomputed };
  const isEqual = canonicalJson(record) === canonicalJson(recomputed);
  if (isEqual) return { ...check, record, recomputed };
  const difference = await locate();
  return { result: 'different', ...(difference === undefined ? {} : { difference }), record, recomputed };
}

/** Of several checks the one that weighs most: a difference, then what cannot be verified. */
export function worstOf(checks: readonly Check[]): Check {
  return (
    checks.find(({ result }) => result === 'different') ??
    checks.find(({ result }) => result === 'not_verifiable') ?? { result: 'equal' }
  );
}

/** The first sample of which two sources of a figure do not say the same. @param devices - of its subject */
export async function locateDifference(
  { period, provenance: { stream } }: IndicatorRecord,
  devices: readonly string[],
  series: SeriesName,
  state: EvidenceSource,
  journal: EvidenceSource,
  shards: number,
): Promise<Difference> {
  const span = { from: Date.parse(period.from), to: Date.parse(period.to) };
  for (const device of devices) {
    const of = async (source: EvidenceSource) =>
      series === 'heartbeat' ? source.heartbeats(device, span) : source.samples(device, series, span);
    const [before, now] = [await of(state), await of(journal)];
    for (let i = 0; i < Math.max(before.length, now.length); i++) {
      if (canonicalJson(before[i] ?? null) === canonicalJson(now[i] ?? null)) continue;
      const { shard, offset } = now[i] ?? before[i] ?? { shard: 0, offset: null };
      return { part: 'state', stream, shard, offset };
    }
  }
  const shard = shardOf(`device/${devices[0] ?? ''}`, shards);
  return { part: 'settings', stream: 'settings', shard, offset: null };
}

/** The first input that is no longer kept. */
async function missingInput(
  { provenance: { stream, entries }, period }: IndicatorRecord,
  journal: Pick<Journal, 'extent' | 'removals' | 'shards'>,
  devices: readonly string[],
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
  const shards = (of: string): readonly number[] =>
    (of === 'liveness' ? [LIVENESS_KEY] : devices).map((key) => shardOf(key, journal.shards));
  const removal = used.find(
    ({ stream: of, shard, appendedUntil }) => appendedUntil >= from && shards(of).includes(shard),
  );
  return removal && missingOf({ ...removal, offset: removal.to - 1 }, removal);
}

export function missingOf(
  { stream, shard, offset }: Pick<Missing, 'stream' | 'shard' | 'offset'>,
  removal: Removal | undefined,
): Missing {
  const at = { stream, shard, offset };
  return removal === undefined ? at : { ...at, removedOn: new Date(removal.at).toISOString().slice(0, 10) };
}
