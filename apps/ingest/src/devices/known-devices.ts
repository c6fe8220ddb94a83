import { RegistryCache, settingAt, type Device, type SettingsHistory } from '#libs/identity';
import type { Millis, UtcMillis } from '#libs/kernel';
import { qcLimitsOf, type DeviceQcLimits, type QcLimitsFile } from '#libs/quality-control';
import { TopicMappings, type TimePolicy, type TopicMapping } from '#libs/telemetry';
import type { IngestOptions } from '../ingest-options.js';

/** Section `ingest` of the configuration, as the setting `clock` records it. */
export interface ClockSetting {
  readonly maxFuture: Millis;
  readonly oldest: string;
  readonly maxAge: Millis;
  readonly wrongClock: TimePolicy['wrongClock'];
  readonly gasConditions: IngestOptions['gasConditions'];
}

/** What follows from registry and configuration for a device, from one instant to another. */
export interface Held {
  readonly from: UtcMillis;
  readonly until: UtcMillis;
  /** Undefined when it is not registered. */
  readonly registered: Device | undefined;
  readonly limits: DeviceQcLimits;
  readonly timePolicy: TimePolicy;
  readonly gasConditions: IngestOptions['gasConditions'];
  readonly mappings: TopicMappings;
}

export function timePolicyOf({ maxFuture, oldest, maxAge, wrongClock }: ClockSetting): TimePolicy {
  return { maxFutureMs: maxFuture, oldest: Date.parse(oldest), maxAgeMs: maxAge, wrongClock };
}

/** What is known of the devices while the registry stays as it is: what holds now, and what held before. */
export class KnownDevices {
  readonly #settings: SettingsHistory;
  readonly #compiled = new Map<string, TopicMappings>();
  readonly #known: RegistryCache<Map<string, readonly Held[]>>;

  constructor(private readonly options: IngestOptions) {
    this.#known = new RegistryCache(options.registry, () => new Map<string, readonly Held[]>());
    this.#settings = options.settings ?? options.registry.settings;
  }

  /** What is known from now on: a batch takes it at its start, and sees a change of the registry from the next one on. */
  current(): Promise<Map<string, readonly Held[]>> {
    return this.#known.current();
  }

  /** What held for a device since the beginning, in order of time. What was never recorded held as it does now. */
  async look(id: string): Promise<readonly Held[]> {
    const { options } = this;
    const now = await options.registry.device(id);
    const devices = await this.#settings.history<Device>(`device/${id}`);
    const clocks = await this.#settings.history<ClockSetting>('clock');
    const qualities = await this.#settings.history<{ limits: QcLimitsFile | null }>('quality');
    const mappings = await this.#settings.history<readonly TopicMapping[]>('mappings');
    const since = devices[0]?.since ?? 0;
    const turns = [0, since, ...[devices, clocks, qualities, mappings].flat().map(({ from }) => from)];
    const starts = [...new Set(turns)].sort((a, b) => a - b);
    return starts.map((from, i) => {
      const registered = from < since ? undefined : (settingAt(devices, from)?.value ?? now);
      const clock = settingAt(clocks, from)?.value;
      const quality = settingAt(qualities, from)?.value;
      const timePolicy = clock === undefined ? options.timePolicy : timePolicyOf(clock);
      const maxAgeMs = registered?.maxAgeMs;
      const mapped = settingAt(mappings, from);
      return {
        from,
        until: starts[i + 1] ?? Infinity,
        registered,
        limits: qcLimitsOf(id, quality === undefined ? options.qcLimits : (quality.limits ?? undefined)),
        timePolicy: maxAgeMs === undefined ? timePolicy : { ...timePolicy, maxAgeMs },
        gasConditions: clock?.gasConditions ?? options.gasConditions,
        mappings: mapped === undefined ? options.mappings : this.#mappingsOf(mapped.digest, mapped.value),
      };
    });
  }

  #mappingsOf(digest: string, value: readonly TopicMapping[]): TopicMappings {
    let compiled = this.#compiled.get(digest);
    if (compiled === undefined) this.#compiled.set(digest, (compiled = new TopicMappings(value)));
    return compiled;
  }
}
