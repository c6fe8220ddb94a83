import {
  countedKey,
  countedOfDayKey,
  NOTHING_PASSED,
  OF_DAY,
  passedOverKey,
  type BatchOrigin,
  type Counted,
  type CountedOfDay,
  type PassedOver,
} from '#libs/journal-transport-state';
import { localDateOf, localDaySpan, type UtcMillis } from '#libs/kernel';
import { ACCOUNT, ACCOUNT_DAYS } from '#namespaces/journal-transport-state';
import type { BatchContext, BatchPlace } from './batch-context.js';
import type { StageState } from './stage-state.js';

/** Notes that retention took entries before the stage read them, in the commit that moves the cursor past them. */
export async function noteLost(origin: BatchOrigin, state: StageState, lost: number): Promise<void> {
  const before = await passedOver(origin, state);
  state.put(ACCOUNT, passedOverKey(origin), { ...before, lost: before.lost + lost });
}

/**
 * Notes that one entry is set aside, in the commit that moves the cursor past it.
 *
 * @param appendedAt - of the entry; undefined where it could not be read
 */
export async function noteSetAside(
  { first, ...origin }: BatchPlace,
  state: StageState,
  appendedAt: UtcMillis | undefined,
): Promise<void> {
  const { setAside, undated = 0, lost } = await passedOver(origin, state);
  const after: PassedOver = {
    setAside: setAside + 1,
    lost,
    undated: undated + (appendedAt === undefined ? 1 : 0),
  };
  state.put(ACCOUNT, passedOverKey(origin), after);
  if (appendedAt === undefined) return;
  const counted = (await state.get(ACCOUNT, countedKey(origin))) as Counted | undefined;
  const daysFrom = counted === undefined ? EVERY_DAY : counted.daysFrom;
  const day = localDateOf(appendedAt);
  if (daysFrom === undefined || day < daysFrom) return;
  const added = new Map([
    [OF_DAY.entries, 1],
    [OF_DAY.setAside, 1],
  ]);
  await putDays(new Map([[day, added]]), first + 1, origin, state);
}

/** {@link Counted.daysFrom} of a stage that counted by day from its first entry on. */
const EVERY_DAY = '';

type Counts = ReadonlyMap<string, number>;

/**
 * Counters of one stage on one shard of a stream, of all time and by day of arrival. They are committed with the cursor, so a
 * crash neither loses nor doubles anything, and an entry is counted once, even when the cursor was moved back to read it again.
 */
export class Tally {
  readonly #added = new Map<string, number>();
  readonly #days = new Map<string, Map<string, number>>();
  /** The day of the entry that was handled last; undefined where it is not counted by day. */
  #ofDay: Map<string, number> | undefined;
  #date = '';
  readonly #before: Counted;
  #next: number;
  #daysFrom: string | undefined;

  private constructor(
    private readonly context: BatchContext,
    before: Counted,
    skipped: number,
  ) {
    const { first } = context.origin;
    this.#before = { ...before, skipped: before.skipped + skipped };
    this.#next = Math.max(before.next, first);
    this.#daysFrom = before.daysFrom;
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
  async end(): Promise<void> {
    const { origin, state } = this.context;
    state.put(ACCOUNT, countedKey(origin), this.#counted());
    await putDays(this.#days, this.#next, origin, state);
  }

  /**
   * An entry is handled. What is added until the next one is its own.
   *
   * @param arrivedAt - when the message came in that it is, or is from; without it nothing is counted by day
   * @param appendedAt - of the entry, where it is the message itself
   * @returns whether what it brings is to be counted: it was not before
   */
  pass(offset: number, arrivedAt?: UtcMillis, appendedAt = arrivedAt): boolean {
    if (offset < this.#next) return false;
    this.#next = offset + 1;
    if (arrivedAt === undefined || appendedAt === undefined) return true;
    const day = localDateOf(arrivedAt);
    if (day !== this.#date) {
      this.#date = day;
      this.#ofDay = this.#dayOf(day);
    }
    addTo(this.#ofDay, OF_DAY.entries, 1);
    if (appendedAt === arrivedAt) return true;
    const appendedOn = localDateOf(appendedAt);
    if (appendedOn === day) return true;
    addTo(this.#ofDay, OF_DAY.appendedElsewhere, 1);
    addTo(this.#dayOf(appendedOn), OF_DAY.arrivedElsewhere, 1);
    return true;
  }

  /** @param amount - below 0 takes back what was added to this batch */
  add(name: string, amount = 1): void {
    if (amount === 0) return;
    addTo(this.#added, name, amount);
    addTo(this.#ofDay, name, amount);
  }

  /** Of an entry that is not the one handled last. @param arrivedAt - as it was given to {@link pass} */
  addOf(arrivedAt: UtcMillis, name: string, amount = 1): void {
    addTo(this.#added, name, amount);
    addTo(this.#dayOf(localDateOf(arrivedAt)), name, amount);
  }

  /** The first entry that was not counted yet. */
  get next(): number {
    return this.#next;
  }

  /** Of a stage that counts by day only now, the day that began before is not whole. */
  #dayOf(day: string): Map<string, number> | undefined {
    this.#daysFrom ??= dayAfter(day);
    if (day < this.#daysFrom) return undefined;
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const counts = new Map<string, number>();
    this.#days.set(day, counts);
    return counts;
  }

  #counted(): Counted {
    return {
      ...this.#before,
      next: this.#next,
      counts: sumOf(this.#before.counts, this.#added),
      ...(this.#daysFrom === undefined ? {} : { daysFrom: this.#daysFrom }),
    };
  }
}

/** Adds to the rows of some days. */
async function putDays(
  days: ReadonlyMap<string, Counts>,
  next: number,
  origin: BatchOrigin,
  state: StageState,
): Promise<void> {
  const keys = Array.from(days.keys(), (day) => countedOfDayKey(day, origin));
  const stored = await state.getMany(ACCOUNT_DAYS, keys);
  let i = 0;
  for (const added of days.values()) {
    const row: CountedOfDay = { next, counts: sumOf(stored[i]?.counts ?? {}, added) };
    state.put(ACCOUNT_DAYS, keys[i++] as string, row);
  }
}

function addTo(counts: Map<string, number> | undefined, name: string, amount: number): void {
  counts?.set(name, (counts.get(name) ?? 0) + amount);
}

function sumOf(before: Counted['counts'], added: Counts): Record<string, number> {
  const counts = { ...before };
  for (const [name, amount] of added) counts[name] = (counts[name] ?? 0) + amount;
  return counts;
}

function dayAfter(day: string): string {
  return localDateOf(localDaySpan(day)?.to ?? 0);
}

/** What was passed over before the first batch is skipped, what was read before it is from a time that did not count. */
async function beginningAt(first: number, origin: BatchOrigin, state: StageState): Promise<Counted> {
  const { setAside, lost } = await passedOver(origin, state);
  const skipped = Math.min(first, setAside + lost);
  const since = first - skipped;
  return { since, next: first, skipped, counts: {}, ...(since === 0 ? { daysFrom: EVERY_DAY } : {}) };
}

async function passedOver(origin: BatchOrigin, state: StageState): Promise<PassedOver> {
  return ((await state.get(ACCOUNT, passedOverKey(origin))) ?? NOTHING_PASSED) as PassedOver;
}
