import type { Journal } from '#libs/journal';
import type { Account, AccountQueries } from '#libs/journal-transport-state';
import type { StreamName } from '#libs/streams';
import { REJECTION_REASONS, type QualityFlag, type RejectionReason } from '#libs/telemetry';

/**
 * What became of everything that devices sent, as the stages counted it when it passed. Every message and every value is in
 * exactly one place of the account. Costs the same however long the journal is.
 */
export interface Reconciliation {
  readonly messages: {
    /** Into the journal since its beginning, so acknowledged where the device asked for it. */
    readonly received: number;
    readonly becameReadings: number;
    readonly becameSignals: number;
    readonly becameCommandResults: number;
    readonly refused: number;
    /** Understood, and holding nothing that Pantau keeps. */
    readonly ignored: number;
    readonly repeated: number;
    /** Not decoded yet. */
    readonly waiting: number;
    /** Dropped by retention before they were decoded: `unread: drop` in the configuration. */
    readonly lostToRetention: number;
    /** Decoded by a version of Pantau that did not count yet. */
    readonly beforeCounting: number;
    /** Decoded without a trace. Always 0, or Pantau has a fault. */
    readonly unaccounted: number;
  };
  readonly values: {
    readonly decoded: number;
    /** Said again by Pantau with another flag, after a later value. */
    readonly amended: number;
    /** One for each device, parameter and instant. */
    readonly distinct: number;
    /** Said again for the same device, parameter and instant. */
    readonly replaced: number;
    /** By QARTOD flag, the last word on each. */
    readonly byFlag: Readonly<Record<QualityFlag, number>>;
    /** That the store took, those that replaced one and the amended ones too. */
    readonly written: number;
    readonly refusedByStore: number;
    /** That the writer has not brought to the store yet. */
    readonly waiting: number;
  };
  /** Refusals after the door by reason: of whole messages and of single values. */
  readonly refusals: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Entries that were counted and that retention has taken from the journal since. A full check cannot see them. */
  readonly takenByRetention: { readonly messages: number; readonly observations: number };
  /** Whether everything adds up. */
  readonly balanced: boolean;
}

/** What one stage counted of a stream, over all shards. */
interface Counts {
  readonly of: (name: string) => number;
  readonly names: readonly string[];
  /** Entries that the cursor is past. */
  readonly position: number;
  readonly since: number;
  readonly counted: number;
  /** Passed over without a reason that was noted. */
  readonly unexplained: number;
  readonly setAside: number;
  readonly lost: number;
}

const FLAGS: readonly QualityFlag[] = [1, 2, 3, 4, 9];
const REFUSED = 'refused: ';

/** Reads the counters and compares them. */
export async function reconcile(journal: Journal, queries: AccountQueries): Promise<Reconciliation> {
  // One look, so one moment: what the writer counted was counted by ingest.
  const account = await queries.look();
  const ingest = await countsOf('ingest', 'uplink', account, journal);
  const evidence = await countsOf('evidence', 'readings', account, journal);
  const writer = await countsOf('writer', 'readings', account, journal);
  const uplinks = await extents(journal, 'uplink');
  const observations = await extents(journal, 'readings');

  const { of } = ingest;
  const refused = of('refused') + ingest.setAside;
  const outcomes =
    of('reading') + of('signal') + of('command') + of('refused') + of('ignored') + of('repeated');
  const unaccounted = ingest.counted - outcomes + ingest.unexplained;
  const appended = of('values') + of('amended');
  const [written, refusedByStore] = [writer.of('written'), writer.of('refused')];
  const unwritten = appended - written - refusedByStore;
  const writerWaits = observations.next - writer.position;
  // What was read before the counters began, and what was never handled, holds a number of values that nobody counted.
  const isExact = ingest.since + writer.since + writer.setAside + writer.lost === 0;
  const byFlag = Object.fromEntries(FLAGS.map((flag) => [flag, evidence.of(`flag ${flag}`)])) as Record<
    QualityFlag,
    number
  >;
  const distinct = FLAGS.reduce((sum, flag) => sum + byFlag[flag], 0);
  return {
    messages: {
      received: uplinks.next,
      becameReadings: of('reading'),
      becameSignals: of('signal'),
      becameCommandResults: of('command'),
      refused,
      ignored: of('ignored'),
      repeated: of('repeated'),
      waiting: Math.max(0, uplinks.next - ingest.position),
      lostToRetention: ingest.lost,
      beforeCounting: ingest.since,
      unaccounted,
    },
    values: {
      decoded: of('values'),
      amended: of('amended'),
      distinct,
      replaced: Math.max(0, of('values') - distinct),
      byFlag,
      written,
      refusedByStore,
      waiting: isExact ? unwritten : Math.max(0, writerWaits),
    },
    refusals: refusalsOf(ingest),
    takenByRetention: { messages: uplinks.first, observations: observations.first },
    balanced:
      unaccounted === 0 &&
      writer.unexplained === 0 &&
      (!isExact || (unwritten >= 0 && (writerWaits > 0 || unwritten === 0))),
  };
}

function refusalsOf({ of, names, setAside }: Counts): Partial<Record<RejectionReason, number>> {
  const refusals: Partial<Record<RejectionReason, number>> = {};
  for (const reason of REJECTION_REASONS)
    if (names.includes(REFUSED + reason)) refusals[reason] = of(REFUSED + reason);
  if (setAside > 0) refusals.handler_failed = setAside;
  return refusals;
}

async function countsOf(
  stage: string,
  stream: StreamName,
  account: Account,
  journal: Journal,
): Promise<Counts> {
  const sums = new Map<string, number>();
  let [position, since, counted, unexplained, setAside, lost] = [0, 0, 0, 0, 0, 0];
  for (let shard = 0; shard < journal.shards; shard++) {
    const row = account.counted({ stage, stream, shard });
    const passed = account.passedOver({ stage, stream, shard });
    setAside += passed.setAside;
    lost += passed.lost;
    if (row === undefined) {
      const stands = await journal.position(stage, stream, shard);
      position += stands;
      since += Math.max(0, stands - passed.setAside - passed.lost);
      continue;
    }
    // What was passed over since the last batch is seen by the next one.
    const pending = passed.setAside + passed.lost - row.skipped;
    position += row.next + Math.max(0, pending);
    unexplained += Math.max(0, -pending);
    since += row.since;
    counted += row.next - row.since - row.skipped;
    for (const [name, count] of Object.entries(row.counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  const of = (name: string): number => sums.get(name) ?? 0;
  return { of, names: [...sums.keys()], position, since, counted, unexplained, setAside, lost };
}

/** Sums over all shards. The first ones are the numbers of entries that are not kept any more. */
async function extents(journal: Journal, stream: StreamName): Promise<{ first: number; next: number }> {
  const sum = { first: 0, next: 0 };
  for (let shard = 0; shard < journal.shards; shard++) {
    const { first, next } = await journal.extent(stream, shard);
    sum.first += first;
    sum.next += next;
  }
  return sum;
}
