import type { Registry } from './registry.js';

/** What follows from the sites and devices, or is remembered of them; made anew when the registry has changed. */
export class RegistryCache<T> {
  #revision: string | undefined;
  #value: T | undefined;

  constructor(
    private readonly registry: Pick<Registry, 'revision'>,
    private readonly make: () => T | Promise<T>,
  ) {}

  /** For one batch: its end sees what its beginning saw, and a change is seen from the next one on. */
  async current(): Promise<T> {
    const revision = await this.registry.revision();
    if (this.#value === undefined || revision !== this.#revision) {
      this.#value = await this.make();
      this.#revision = revision;
    }
    return this.#value;
  }
}
