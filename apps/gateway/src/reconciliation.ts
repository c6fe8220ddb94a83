import { eachEntry, type Journal } from '#libs/journal';
import { lagOf } from '#libs/journal-transport';
import type {
  CommandEvent,
  JournalRef,
  Observation,
  QualityFlag,
  Rejection,
  RejectionReason,
  Signal,
  Uplink,
} from '#libs/telemetry';
import type { TimeSeriesStore } from '#libs/timeseries';

/** What became of everything that devices sent. Every message and every value is in exactly one place of the account. */
export interface Reconciliation {
  readonly messages: {
    /** In the journal, so acknowledged where the device asked for it. */
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
    /** Decoded without a trace. Always 0, or Pantau has a fault. */
    readonly unaccounted: number;
  };
  readonly values: {
    readonly decoded: number;
    /** Said again for the same device, parameter and instant. */
    readonly replaced: number;
    readonly distinct: number;
    /** By QARTOD flag, the last word on each. */
    readonly byFlag: Readonly<Record<QualityFlag, number>>;
    readonly stored: number;
    readonly refusedByStore: number;
    /** Distinct values that the writer has not brought to the store yet, as far as can be told from its lag. */
    readonly waiting: number;
  };
  /** Refusals after the door by reason: of whole messages and of single values. */
  readonly refusals: Readonly<Partial<Record<RejectionReason, number>>>;
  /** Whether everything adds up. */
  readonly balanced: boolean;
}

/** What a message became; the first that applies counts. */
const OUTCOMES = ['reading', 'signal', 'command', 'refused', 'ignored', 'repeated'] as const;
type Outcome = (typeof OUTCOMES)[number];

/**
 * Goes through the journal from its oldest entry and through the store, and adds up. Reads everything: minutes on a large
 * journal.
 *
 * @param device - one device alone, all when undefined
 */
export async function reconcile(
  journal: Journal,
  store: Pick<TimeSeriesStore, 'count'>,
  device: string | undefined,
): Promise<Reconciliation> {
  const uplinks = new UplinkAccount();
  let received = 0;
  await eachEntry<Uplink>(journal, 'uplink', ({ data, shard, offset }) => {
    if (device !== undefined && data.device !== device) return;
    received++;
    uplinks.open({ shard, offset });
  });

  const series = new Map<string, Map<number, QualityFlag>>();
  let decoded = 0;
  await eachEntry<Observation>(journal, 'readings', ({ data }) => {
    if (data.amendment !== true) uplinks.settle(data.uplink, 'reading');
    if (device !== undefined && data.device !== device) return;
    for (const { parameter, flag } of data.readings) {
      if (data.amendment !== true) decoded++;
      const key = `${data.device} ${parameter}`;
      let values = series.get(key);
      if (values === undefined) series.set(key, (values = new Map<number, QualityFlag>()));
      values.set(data.ts, flag);
    }
  });
  await eachEntry<Signal>(journal, 'signals', ({ data }) => {
    if ('uplink' in data) uplinks.settle(data.uplink, 'signal');
  });
  await eachEntry<CommandEvent>(journal, 'commands', ({ data: { uplink } }) => {
    if (uplink !== undefined) uplinks.settle(uplink, 'command');
  });
  const refusals: Partial<Record<RejectionReason, number>> = {};
  let refusedByStore = 0;
  await eachEntry<Rejection>(journal, 'rejected', ({ data: { source, reason, count, device: about } }) => {
    if (device !== undefined && about !== device) return;
    if (reason === 'store_refused') refusedByStore += count;
    if (source?.stream !== 'uplink') return;
    refusals[reason] = (refusals[reason] ?? 0) + count;
    uplinks.settle(
      source,
      reason === 'nothing_to_keep' ? 'ignored' : reason === 'repeated' ? 'repeated' : 'refused',
    );
  });

  const byFlag: Record<QualityFlag, number> = { 1: 0, 2: 0, 3: 0, 4: 0, 9: 0 };
  let distinct = 0;
  for (const values of series.values()) {
    distinct += values.size;
    for (const flag of values.values()) byFlag[flag]++;
  }
  const stored = await store.count(device === undefined ? {} : { device });
  const writerLag = await lagOf(journal, 'writer', 'readings');
  const ingestLag = await lagOf(journal, 'ingest', 'uplink');
  const count = uplinks.counts();
  const open = count.open;
  const waiting = ingestLag > 0 ? open : 0;
  const missing = distinct - stored - refusedByStore;
  return {
    messages: {
      received,
      becameReadings: count.reading,
      becameSignals: count.signal,
      becameCommandResults: count.command,
      refused: count.refused,
      ignored: count.ignored,
      repeated: count.repeated,
      waiting,
      unaccounted: open - waiting,
    },
    values: {
      decoded,
      replaced: decoded - distinct,
      distinct,
      byFlag,
      stored,
      refusedByStore,
      waiting: writerLag > 0 ? Math.max(0, missing) : 0,
    },
    refusals,
    balanced: open - waiting === 0 && (missing === 0 || writerLag > 0),
  };
}

/** One byte for each uplink of the journal: 0 is none of our business, 1 is open, others are an outcome. */
class UplinkAccount {
  readonly #shards = new Map<number, { readonly first: number; readonly states: number[] }>();

  open({ shard, offset }: JournalRef): void {
    let account = this.#shards.get(shard);
    if (account === undefined) this.#shards.set(shard, (account = { first: offset, states: [] }));
    account.states[offset - account.first] = 1;
  }

  settle({ shard, offset }: JournalRef, outcome: Outcome): void {
    const account = this.#shards.get(shard);
    const at = offset - (account?.first ?? 0);
    const state = account?.states[at];
    if (account === undefined || state === undefined) return;
    const found = OUTCOMES.indexOf(outcome) + 2;
    account.states[at] = state === 1 ? found : Math.min(state, found);
  }

  counts(): Readonly<Record<Outcome | 'open', number>> {
    const counts = { open: 0, reading: 0, signal: 0, command: 0, refused: 0, ignored: 0, repeated: 0 };
    for (const { states } of this.#shards.values()) {
      for (const state of states) {
        const outcome = state === 1 ? 'open' : OUTCOMES[state - 2];
        if (outcome !== undefined) counts[outcome]++;
      }
    }
    return counts;
  }
}
