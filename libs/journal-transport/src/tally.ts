import {
  countedKey,
  NOTHING_PASSED,
  passedOverKey,
  type BatchOrigin,
  type Counted,
  type PassedOver,
} from '#libs/journal-transport-state';
import { ACCOUNT } from '#namespaces/journal-transport-state';
import type { BatchContext } from './batch-context.js';
import type { StageState } from './stage-state.js';

/** Notes entries that are passed over, in the commit that moves the cursor past them. */
export async function notePassedOver(
  origin: BatchOrigin,
  state: StageState,
  { setAside = 0, lost = 0 }: Partial<PassedOver>,
): Promise<void> {
  const before = await passedOver(origin, state);
  const after: PassedOver = { setAside: before.setAside + setAside, lost: before.lost + lost };
  state.put(ACCOUNT, passedOverKey(origin), after);
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
    const stored = (await state.get(ACCOUNT, countedKey(origin))) as Counted | undefined;
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
  const { setAside, lost } = await passedOver(origin, state);
  const skipped = Math.min(first, setAside + lost);
  return { since: first - skipped, next: first, skipped, counts: {} };
}

async function passedOver(origin: BatchOrigin, state: StageState): Promise<PassedOver> {
  return ((await state.get(ACCOUNT, passedOverKey(origin))) ?? NOTHING_PASSED) as PassedOver;
}
