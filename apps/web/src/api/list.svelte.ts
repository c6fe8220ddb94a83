import { untrack } from 'svelte';
import { problemOf, type Problem } from './problem';
import { renewed, type Page, type Shown } from './renew';
import { resource, type Resource } from './resource.svelte';

type Load<T> = (after: string | undefined, signal: AbortSignal) => Promise<Page<T>>;
/** A page of the API may hold nothing and go on all the same. So many are asked for at once. */
const MOST_EMPTY = 20;

async function pageOf<T>(load: Load<T>, after: string | undefined, signal: AbortSignal): Promise<Page<T>> {
  let page = await load(after, signal);
  for (let asked = 1; page.items.length === 0 && page.next !== undefined && asked < MOST_EMPTY; asked++)
    page = await load(page.next, signal);
  return page;
}

/** A list by pages, newest first, in which nothing moves that somebody reads: what is new waits until it is let in. */
export class List<T> {
  #shown = $state.raw<readonly Shown<T>[]>([]);
  #waiting = $state.raw<readonly T[]>([]);
  #isApart = false;
  #next = $state<string>();
  #busy = $state(false);
  #problem = $state.raw<Problem>();
  readonly #gone = new AbortController();

  constructor(
    readonly first: Resource<Page<T>>,
    private readonly load: Load<T>,
    private readonly by: (item: T) => string,
  ) {
    $effect(() => {
      const page = first.data;
      if (page !== undefined) untrack(() => this.#renew(page));
    });
    $effect(() => () => this.#gone.abort());
  }

  get shown(): readonly Shown<T>[] {
    return this.#shown;
  }
  get waiting(): number {
    return this.#waiting.length;
  }
  get hasMore(): boolean {
    return this.#next !== undefined;
  }
  get busy(): boolean {
    return this.#busy;
  }
  /** Of the question for more. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** What is known of an item by an event, shown where it stands. */
  change(id: string, change: (item: T) => T): void {
    this.#shown = this.#shown.map((one) =>
      this.by(one.item) === id ? { ...one, item: change(one.item) } : one,
    );
  }

  letIn(): void {
    const came = this.#waiting.map((item) => ({ item, isGone: false }));
    this.#shown = this.#isApart ? came : [...came, ...this.#shown.filter(({ isGone }) => !isGone)];
    if (this.#isApart) this.#next = this.first.data?.next;
    [this.#waiting, this.#isApart] = [[], false];
  }

  async more(): Promise<void> {
    if (this.#busy || this.#next === undefined) return;
    this.#busy = true;
    try {
      const { items, next } = await pageOf(this.load, this.#next, this.#gone.signal);
      const known = new Set(this.#shown.map(({ item }) => this.by(item)));
      const further = items.filter((item) => !known.has(this.by(item)));
      this.#shown = [...this.#shown, ...further.map((item) => ({ item, isGone: false }))];
      [this.#next, this.#problem] = [next, undefined];
    } catch (error) {
      this.#problem = problemOf(error);
    } finally {
      this.#busy = false;
    }
  }

  #renew(page: Page<T>): void {
    if (this.#shown.length === 0) {
      this.#shown = page.items.map((item) => ({ item, isGone: false }));
      [this.#next, this.#waiting] = [page.next, []];
      return;
    }
    const { shown, waiting, isApart } = renewed(this.#shown, page, this.by);
    [this.#shown, this.#waiting, this.#isApart] = [shown, waiting, isApart];
  }
}

/**
 * Reads a list while the component is there that calls this. Another filter is another list: `{#key}` around the component that shows it.
 *
 * @param by - what an item is known by
 * @param every - milliseconds after which the newest are read again
 */
export function list<T>(load: Load<T>, by: (item: T) => string, every?: number): List<T> {
  return new List(
    resource(async (signal) => pageOf(load, undefined, signal), every),
    load,
    by,
  );
}
