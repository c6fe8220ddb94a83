import type { ListOptions, Namespace, StateStore, StateWrite } from '#libs/state';

/**
 * A generation of the cache ends after so many entries, or when it holds so many values. By entries, because values grow
 * with what they hold: a device's hour that is over must go soon, however few devices there are.
 */
const VALUES_PER_GENERATION = 10_000;
const ENTRIES_PER_VALUE = 2;

/** Values by namespace and key, {@link NOTHING} for what is not there. A joined key would cost more than the look-up. */
type Values = Map<string, Map<string, unknown>>;

/** What a key is known to have when it has no value, so that one look-up tells. */
const NOTHING = Symbol('no value');

/**
 * What a stage remembers, seen from inside one batch. Writes are buffered and become durable in the same commit as the
 * cursor; when the batch fails they are forgotten. Values must be treated as immutable: put a new one instead of
 * changing what {@link get} returned.
 */
export class StageState {
  readonly #pending: Values = new Map();

  constructor(
    private readonly store: Pick<StateStore, 'get' | 'getMany' | 'list'>,
    private readonly cache: StageCache,
  ) {}

  async get<T>(namespace: Namespace<T>, key: string): Promise<T | undefined> {
    const known = this.#known(namespace.name, key);
    if (known !== undefined) return valueOf(known);
    const value = await this.store.get<T>(namespace, key);
    this.cache.set(namespace.name, key, value);
    return value;
  }

  /** Values in the order of the keys. */
  async getMany<T>(namespace: Namespace<T>, keys: readonly string[]): Promise<(T | undefined)[]> {
    const values: (T | undefined)[] = [];
    const missing: number[] = [];
    for (const [i, key] of keys.entries()) {
      const known = this.#known(namespace.name, key);
      if (known === undefined) missing.push(i);
      values.push(valueOf(known));
    }
    if (missing.length === 0) return values;
    const missingKeys = missing.map((i) => keys[i] as string);
    const stored = await this.store.getMany<T>(namespace, missingKeys);
    for (const [n, key] of missingKeys.entries()) {
      this.cache.set(namespace.name, key, stored[n]);
      values[missing[n] as number] = stored[n];
    }
    return values;
  }

  /** Whether any row was there before the batch. */
  async hadAny<T>(namespace: Namespace<T>, range: Omit<ListOptions, 'limit'>): Promise<boolean> {
    return (await this.store.list(namespace, { ...range, limit: 1 })).length > 0;
  }

  put<T>(namespace: Namespace<T>, key: string, value: NoInfer<T> | undefined): void {
    put(this.#pending, namespace.name, key, value);
  }

  delete<T>(namespace: Namespace<T>, key: string): void {
    this.put(namespace, key, undefined);
  }

  /** What the batch wrote. */
  writes(): StateWrite[] {
    const writes: StateWrite[] = [];
    for (const [namespace, values] of this.#pending)
      for (const [key, value] of values) writes.push({ namespace, key, value: valueOf(value) });
    return writes;
  }

  /**
   * Called once the writes are durable.
   *
   * @param entries - that the batch had
   */
  settle(entries: number): void {
    for (const [namespace, values] of this.#pending)
      for (const [key, value] of values) this.cache.set(namespace, key, valueOf(value));
    this.cache.trim(entries);
  }

  /** @returns undefined when nothing is known of the key */
  #known(namespace: string, key: string): unknown {
    const pending = this.#pending.get(namespace)?.get(key);
    return pending === undefined ? this.cache.get(namespace, key) : pending;
  }
}

function valueOf<T>(known: unknown): T | undefined {
  return known === NOTHING ? undefined : (known as T);
}

/**
 * The values that a stage read or wrote of late, in two generations: what is used moves to the young one, and when that
 * is over the old one goes. So a look-up costs no bookkeeping of its own.
 */
export class StageCache {
  #young: Values = new Map();
  #old: Values = new Map();
  #count = 0;
  #entries = 0;

  /** @param values - that end a generation; twice as many are held at most, and what a batch adds */
  constructor(private readonly values = VALUES_PER_GENERATION) {}

  /** @returns undefined when it is not here, {@link NOTHING} when it is known to have no value */
  get(namespace: string, key: string): unknown {
    const young = this.#young.get(namespace)?.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(namespace)?.get(key);
    if (old !== undefined) this.set(namespace, key, valueOf(old));
    return old;
  }

  set(namespace: string, key: string, value: unknown): void {
    if (put(this.#young, namespace, key, value)) this.#count++;
  }

  /** Between batches only: within one, everything that was read must stay. */
  trim(entries: number): void {
    this.#entries += entries;
    if (this.#entries < ENTRIES_PER_VALUE * this.values && this.#count <= this.values) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#count = 0;
    this.#entries = 0;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#count = 0;
    this.#entries = 0;
  }
}

/** @returns whether the key is new */
function put(values: Values, namespace: string, key: string, value: unknown): boolean {
  let own = values.get(namespace);
  if (own === undefined) values.set(namespace, (own = new Map<string, unknown>()));
  const before = own.size;
  own.set(key, value === undefined ? NOTHING : value);
  return own.size > before;
}
