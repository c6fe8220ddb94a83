import { RegistryCache, type Registry } from '#libs/identity';
import type { Millis } from '#libs/kernel';

/** How often devices promise to report; looked up anew only when the registry has changed. */
export class PromisedIntervals {
  readonly #cache: RegistryCache<Map<string, Millis>>;
  #known = new Map<string, Millis>();

  constructor(
    private readonly registry: Registry,
    /** For a device that is not registered any more: no promise to go by. */
    private readonly unknown: Millis,
  ) {
    this.#cache = new RegistryCache(registry, () => new Map<string, Millis>());
  }

  /** To be called before the first look of a batch. */
  async refresh(): Promise<void> {
    this.#known = await this.#cache.current();
  }

  async of(device: string): Promise<Millis> {
    const interval = (await this.registry.device(device))?.intervalMs ?? this.unknown;
    this.#known.set(device, interval);
    return interval;
  }

  /** Without waiting, when it was looked up before. */
  peek(device: string): Millis | undefined {
    return this.#known.get(device);
  }
}
