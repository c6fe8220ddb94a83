import type { BatchContext, BatchOrigin } from './batch-context.js';
import type { StageState } from './stage-state.js';

/**
 * Namespace of what the stages count. One namespace, so that one look at it is one moment: what a stage counted never
 * differs from what it appended by then.
 */
export const ACCOUNT = 'account';

/** What a stage counted on one shard of a stream, committed with its cursor. */
export interface Counted {
  /** The first entry that was counted: above 0 where the stage had read some before it counted. */
  readonly since: number;
  /** The first entry that was not counted yet. */
  readonly next: number;
  /** Of the entries between: how many the cursor passed over without the handler, see {@link PassedOver}. */
  readonly skipped: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Entries that the cursor of a stage passed without its handler. */
export interface PassedOver {
  /** The handler failed on it again and again; it is in `rejected` as `handler_failed`. */
  readonly setAside: number;
  /** Retention took it before the stage had read it. */
  readonly lost: number;
}

const NOTHING: PassedOver = { setAside: 0, lost: 0 };

export function countedKey({ stage, stream, shard }: BatchOrigin): string {
  return `counted/${stage}/${stream}/${shard}`;
}

export function passedOverKey({ stage, stream, shard }: BatchOrigin): string {
  return `passed-over/${stage}/${stream}/${shard}`;
}

/** Notes entries that are passed over, in the commit that moves the cursor past them. */
export async function notePassedOver(
  origin: BatchOrigin,
  state: StageState,
  { setAside = 0, lost = 0 }: Partial<PassedOver>,
): Promise<void> {
  const key = passedOverKey(origin);
  const before = (await state.get<PassedOver>(ACCOUNT, key)) ?? NOTHING;
  const after: PassedOver = { setAside: before.setAside + setAside, lost: before.lost + lost };
  state.put(ACCOUNT, key, after);
}

/**
 * Counters of one stage on one shard of a stream. They are committed with the cursor, so a crash neither loses nor doubles
 * anything, and an entry is counted once, even when the cursor was moved back to read it again.
 */
export class Tally {
  readonly #added = new Map<string, number>();
  readonly #before: Counted;
  #next: number;

  private constructor(
    private readonly context: BatchContext,
    before: Counted,
    skipped: number,
  ) {
    const { first } = context.origin;
    this.#before = { ...before, skipped: before.skipped + skipped };
    this.#next = Math.max(before.next, first);
  }

  /** To be called once for a batch. */
  static async begin(context: BatchContext): Promise<Tally> {
    const { origin, state } = context;
    const { first } = origin;
    const stored = await state.get<Counted>(ACCOUNT, countedKey(origin));
    return stored === undefined
      ? new Tally(context, await beginningAt(first, origin, state), 0)
      : new Tally(context, stored, Math.max(0, first - stored.next));
  }

  /** Puts what was counted into the commit of the batch. */
  end(): void {
    const { origin, state } = this.context;
    state.put(ACCOUNT, countedKey(origin), this.#counted());
  }

  /** An entry is handled. @returns whether what it brings is to be counted: it was not before */
  pass(offset: number): boolean {
    if (offset < this.#next) return false;
    this.#next = offset + 1;
    return true;
  }

  add(name: string, amount = 1): void {
    if (amount !== 0) this.#added.set(name, (this.#added.get(name) ?? 0) + amount);
  }

  #counted(): Counted {
    const counts = { ...this.#before.counts };
    for (const [name, amount] of this.#added) counts[name] = (counts[name] ?? 0) + amount;
    return { ...this.#before, next: this.#next, counts };
  }
}

/** What was passed over before the first batch is skipped, what was read before it is from a time that did not count. */
async function beginningAt(first: number, origin: BatchOrigin, state: StageState): Promise<Counted> {
  const { setAside, lost } = (await state.get<PassedOver>(ACCOUNT, passedOverKey(origin))) ?? NOTHING;
  const skipped = Math.min(first, setAside + lost);
  return { since: first - skipped, next: first, skipped, counts: {} };
}
