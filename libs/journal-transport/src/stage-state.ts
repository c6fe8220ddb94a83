import type { StateStore, StateWrite } from '#libs/state';

/** Values kept per shard of a stage; beyond that the least recently used are read again from the store. */
const CACHED_VALUES = 50_000;

/**
 * What a stage remembers, seen from inside one batch. Writes are buffered and become durable in the same commit as the
 * cursor; when the batch fails they are forgotten. Values must be treated as immutable: put a new one instead of
 * changing what {@link get} returned.
 */
export class StageState {
  readonly #pending = new Map<string, StateWrite>();

  constructor(
    private readonly store: StateStore,
    private readonly cache: StageCache,
  ) {}

  async get<T>(namespace: string, key: string): Promise<T | undefined> {
    const [value] = await this.getMany<T>(namespace, [key]);
    return value;
  }

  /** Values in the order of the keys. */
  async getMany<T>(namespace: string, keys: readonly string[]): Promise<(T | undefined)[]> {
    const missing = keys.filter(
      (key) => !this.#pending.has(id(namespace, key)) && !this.cache.has(id(namespace, key)),
    );
    if (missing.length > 0) {
      const values = await this.store.getMany(namespace, missing);
      missing.forEach((key, i) => this.cache.set(id(namespace, key), values[i]));
    }
    return keys.map((key) => {
      const pending = this.#pending.get(id(namespace, key));
      return (pending === undefined ? this.cache.get(id(namespace, key)) : pending.value) as T | undefined;
    });
  }

  put(namespace: string, key: string, value: unknown): void {
    this.#pending.set(id(namespace, key), { namespace, key, value });
  }

  delete(namespace: string, key: string): void {
    this.put(namespace, key, undefined);
  }

  /** What the batch wrote. */
  writes(): StateWrite[] {
    return [...this.#pending.values()];
  }

  /** Called once the writes are durable. */
  settle(): void {
    for (const [key, { value }] of this.#pending) this.cache.set(key, value);
    this.cache.trim();
  }
}

/** The values that a stage read or wrote of late, in the order of their last use. */
export class StageCache {
  readonly #values = new Map<string, unknown>();

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): unknown {
    const value = this.#values.get(key);
    this.set(key, value);
    return value;
  }

  set(key: string, value: unknown): void {
    this.#values.delete(key);
    this.#values.set(key, value);
  }

  /** Between batches only: within one, everything that was read must stay. */
  trim(): void {
    for (const key of this.#values.keys()) {
      if (this.#values.size <= CACHED_VALUES) break;
      this.#values.delete(key);
    }
  }

  clear(): void {
    this.#values.clear();
  }
}

function id(namespace: string, key: string): string {
  return `${namespace}\u0000${key}`;
}
