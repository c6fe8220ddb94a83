import { RegistryCache, type Registry } from '#libs/identity';
import { defined } from '#libs/kernel';
import {
  nearestNeighbours,
  neighbourConsensus,
  qcLimitsOf,
  type Neighbour,
  type NeighbourReading,
  type QcLimitsFile,
  type QcLimitsTable,
} from '#libs/quality-control';
import { MEASURED_CODES, type HourlyMean, type MeasuredParameter, type Parameter } from '#libs/telemetry';
import type { StageMemory } from '../buckets/down-sampling.js';
import { JUDGED_MEAN_FORM, meanKey, type JudgedMean, type StoredMean } from './judged-mean-form.js';
import { DISAGREEMENTS, JUDGED_MEANS } from '../namespaces.js';

/** The limits by which devices are compared with their neighbours: general ones, and those that a device has of its own. */
export class ComparisonLimits {
  readonly #general: QcLimitsTable;
  readonly #own: ReadonlyMap<string, QcLimitsTable>;
  readonly #compared: ReadonlySet<string>;
  /** The largest radius of any parameter and device, km; 0 when nothing is compared. */
  readonly widestKm: number;

  constructor(file?: QcLimitsFile) {
    // No device has an empty id.
    this.#general = qcLimitsOf('', file).parameters;
    this.#own = new Map(
      Object.keys(file?.devices ?? {}).map((device) => [device, qcLimitsOf(device, file).parameters]),
    );
    const tables = [this.#general, ...this.#own.values()];
    this.#compared = new Set(
      MEASURED_CODES.filter((parameter) => tables.some((table) => table[parameter].neighbours !== null)),
    );
    this.widestKm = tables
      .flatMap((table) => MEASURED_CODES.map((parameter) => table[parameter].neighbours?.radiusKm ?? 0))
      .reduce((widest, radius) => Math.max(widest, radius), 0);
  }

  of(device: string): QcLimitsTable {
    return this.#own.get(device) ?? this.#general;
  }

  /** Whether any device is compared by this parameter. */
  compares(parameter: Parameter): parameter is MeasuredParameter {
    return this.#compared.has(parameter);
  }
}

/** Who is asked about whom. */
export interface Neighbourhoods {
  /** The devices that are asked about this one; which of them lie within its own radius, the test decides. */
  readonly neighboursOf: (device: string) => readonly Neighbour[];
  /** The devices about which this one is asked. */
  readonly askersOf: (device: string) => readonly string[];
}

/** The neighbourhoods of the registered air devices; computed anew only when the registry has changed. */
export class NeighbourMap {
  readonly #known: RegistryCache<Neighbourhoods>;

  /** @param radiusKm - of the device that looks furthest: a smaller circle holds the first of the same neighbours */
  constructor(
    private readonly registry: Registry,
    private readonly radiusKm: number,
  ) {
    this.#known = new RegistryCache(registry, () => this.#compute());
  }

  current(): Promise<Neighbourhoods> {
    return this.#known.current();
  }

  async #compute(): Promise<Neighbourhoods> {
    const sites = new Map((await this.registry.sites()).map((site) => [site.id, site]));
    const devices = (await this.registry.devices())
      .filter(({ kind }) => kind === 'air')
      .map(({ id, site }) => {
        const { latitude, longitude } = sites.get(site) ?? {};
        const coordinates =
          latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
        return { id, site, ...defined({ coordinates }) };
      });
    const neighbours = nearestNeighbours(devices, this.radiusKm);
    const askers = new Map<string, string[]>();
    for (const [device, all] of neighbours)
      for (const { id } of all) {
        const known = askers.get(id);
        if (known === undefined) askers.set(id, [device]);
        else known.push(device);
      }
    return {
      neighboursOf: (device) => neighbours.get(device) ?? [],
      askersOf: (device) => askers.get(device) ?? [],
    };
  }
}

/**
 * Takes means that are new or have changed, and judges again whatever they bear on: their devices, and the devices that ask
 * those about themselves.
 *
 * What stands at the end depends on the last mean of every device and hour alone, not on the order in which devices and
 * hours came or how they were cut into batches. A mean costs as much as its device has neighbours and askers, however
 * many devices there are.
 *
 * @param means - the last one of a device and hour counts; null takes it away
 */
export async function compareWithNeighbours(
  means: readonly HourlyMean[],
  memory: StageMemory,
  neighbourhoods: Neighbourhoods,
  limits: ComparisonLimits,
): Promise<void> {
  const hours = new Map<string, { first: HourlyMean; arrived: Map<string, number | null> }>();
  for (const mean of means) {
    const key = meanKey(mean.parameter, mean.hour, '');
    let hour = hours.get(key);
    if (hour === undefined) hours.set(key, (hour = { first: mean, arrived: new Map() }));
    hour.arrived.set(mean.device, mean.mean);
  }
  for (const { first, arrived } of hours.values())
    await compareHour(first, arrived, memory, neighbourhoods, limits);
}

async function compareHour(
  { parameter, hour }: Pick<HourlyMean, 'parameter' | 'hour'>,
  arrived: ReadonlyMap<string, number | null>,
  memory: StageMemory,
  { neighboursOf, askersOf }: Neighbourhoods,
  limits: ComparisonLimits,
): Promise<void> {
  const touched = new Set(arrived.keys());
  for (const device of arrived.keys()) for (const asker of askersOf(device)) touched.add(asker);
  const concerned = new Set(touched);
  for (const device of touched) for (const { id } of neighboursOf(device)) concerned.add(id);
  const prefix = meanKey(parameter, hour, '');
  const keys = Array.from(concerned, (device) => prefix + device);
  const stored = await memory.getMany(JUDGED_MEANS, keys);
  /** What stands there, and the means of this hour. */
  const known = new Map<string, JudgedMean | undefined>();
  const meansNow = new Map<string, number>();
  let i = 0;
  for (const device of concerned) {
    const before = meanOf(stored[i++]);
    known.set(device, before);
    const mean = arrived.get(device);
    if (mean !== undefined) {
      if (mean !== null) meansNow.set(device, mean);
    } else if (before !== undefined) meansNow.set(device, before.mean);
  }
  for (const device of touched) {
    const mean = meansNow.get(device);
    const before = known.get(device);
    let after: JudgedMean | undefined;
    if (mean !== undefined) {
      const values: NeighbourReading[] = [];
      for (const { id, distanceKm } of neighboursOf(device)) {
        const value = meansNow.get(id);
        if (value !== undefined) values.push({ value, distanceKm });
      }
      const { flag, count, median } = neighbourConsensus(mean, values, parameter, limits.of(device));
      after = { mean, flag, neighbours: count, median };
    }
    if (isSame(before, after)) continue;
    const key = prefix + device;
    memory.put(JUDGED_MEANS, key, after && JUDGED_MEAN_FORM.pack(after));
    if (disagrees(before) !== disagrees(after))
      memory.put(DISAGREEMENTS, key, disagrees(after) ? true : undefined);
  }
}

function meanOf(stored: StoredMean | undefined): JudgedMean | undefined {
  return stored && JUDGED_MEAN_FORM.unpack(stored);
}

function isSame(a: JudgedMean | undefined, b: JudgedMean | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.mean === b.mean && a.flag === b.flag && a.neighbours === b.neighbours && a.median === b.median;
}

function disagrees(judged: JudgedMean | undefined): judged is JudgedMean {
  return judged?.flag === 3;
}
