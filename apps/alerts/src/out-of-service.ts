import { RegistryCache, type DeviceService, type Registry } from '#libs/identity';
import type { TimeSpan, UtcMillis } from '#libs/kernel';

/** When devices were out of service; looked up anew only when the registry has changed. */
export class OutOfService {
  readonly #cache: RegistryCache<ReadonlyMap<string, readonly TimeSpan[]>>;
  #known: ReadonlyMap<string, readonly TimeSpan[]> = new Map();

  constructor(registry: Registry) {
    this.#cache = new RegistryCache(registry, async () => {
      const entries = await registry.settings.historyOfKind<DeviceService>('access');
      const spans = new Map<string, TimeSpan[]>();
      for (const [i, { name, from, value }] of entries.entries()) {
        const [next] = entries.slice(i + 1, i + 2);
        const to = next?.name === name ? next.from : Infinity;
        const device = name.slice(name.indexOf('/') + 1);
        if (value === 'revoked') spans.set(device, [...(spans.get(device) ?? []), { from, to }]);
      }
      return spans;
    });
  }

  /** To be called before the first look of a batch. */
  async refresh(): Promise<void> {
    this.#known = await this.#cache.current();
  }

  /** Those that are out of service at an instant. */
  at(ts: UtcMillis): ReadonlySet<string> {
    return new Set([...this.#known.keys()].filter((device) => this.isOut(device, ts)));
  }

  isOut(device: string, ts: UtcMillis): boolean {
    return this.#known.get(device)?.some(({ from, to }) => from <= ts && ts < to) === true;
  }

  /** Whether it ever was. */
  knows(device: string): boolean {
    return this.#known.has(device);
  }
}
