import { TopicMappings, type TopicMapping } from '#libs/telemetry';
import type { Settings } from './settings.js';

/** The name of the setting that says how topics of other makers' devices are read. */
export const MAPPINGS = 'mappings';

/** A mapping that people made while Pantau runs. */
export type StoredMapping = TopicMapping & { readonly id: string };

type Held = readonly TopicMapping[];

export function isStoredMapping(mapping: TopicMapping): mapping is StoredMapping {
  return mapping.id !== undefined;
}

/** The setting when the configuration says this: its own in their order, and what people made behind them, which stays. */
export function withStored(configured: Held, held: Held = []): Held {
  return [...configured, ...held.filter(isStoredMapping)];
}

/** Of the registry, what they follow. */
interface Followed {
  readonly settings: Settings;
  revision(): Promise<string | undefined>;
}

/** The mappings in force, for those who look at every message: read again when the registry has changed. */
export class MappingsInForce {
  #revision: string | undefined;
  #digest: string | undefined;
  #mappings: TopicMappings;

  /** @param configured - in force where none were ever recorded */
  constructor(
    private readonly registry: Followed,
    configured: TopicMappings,
  ) {
    this.#mappings = configured;
  }

  get current(): TopicMappings {
    return this.#mappings;
  }

  /** @returns whether they are others than before */
  async refresh(): Promise<boolean> {
    const revision = await this.registry.revision();
    if (this.#digest !== undefined && revision === this.#revision) return false;
    const last = await this.registry.settings.last<Held>(MAPPINGS);
    this.#revision = revision;
    const digest = last?.digest ?? '';
    if (digest === this.#digest) return false;
    this.#digest = digest;
    if (last !== undefined) this.#mappings = new TopicMappings(last.value);
    return true;
  }
}
