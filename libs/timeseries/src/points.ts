import type { UtcMillis } from '#libs/kernel';
import { isKept, type Reading, type Rollup } from '#libs/telemetry';
import { TIER_LENGTH, type Tier } from './retention.js';
import { pointOf, type Point, type StorableObservation, type WriteReport } from './time-series-store.js';

/** What was measured, or rolled up, of a device for one instant. */
export interface Instant<T extends Pick<Reading, 'parameter'> = Pick<Reading, 'parameter'>> {
  readonly site: string;
  readonly device: string;
  readonly ts: UtcMillis;
  readonly readings: readonly T[];
}

/** Why no store can hold anything of the observation; undefined when it can. */
function timeFaultOf({ ts, receivedAt }: StorableObservation): string | undefined {
  if (!Number.isSafeInteger(ts)) return `the time ${ts} is not a whole number of milliseconds`;
  if (!Number.isSafeInteger(receivedAt))
    return `the arrival ${receivedAt} is not a whole number of milliseconds`;
  return undefined;
}

/**
 * Why no store can hold the reading; undefined when it can. Found here and not by the engines: InfluxDB refuses a whole
 * batch for one NaN, and an error of DuckDB's bindings would look like a store that is away and be retried for ever. A
 * parameter is a name of fields in InfluxDB, unescaped, so none but those of the table may pass.
 */
function readingFaultOf({ parameter, value }: Reading): string | undefined {
  if (!isKept(parameter)) return `the parameter ${JSON.stringify(parameter)} does not exist`;
  if (!Number.isFinite(value)) return `the value ${value} is not a finite number`;
  return undefined;
}

function isSound(reading: Reading): boolean {
  return readingFaultOf(reading) === undefined;
}

/**
 * Sets aside the readings that no store can hold, and those of the observations of which `faultOf` says why this one cannot.
 * What is accepted has readings.
 */
export function setFaultyAside(
  observations: readonly StorableObservation[],
  faultOf: (observation: StorableObservation) => string | undefined,
): { accepted: readonly StorableObservation[]; refused: WriteReport['refused'] } {
  const refused: { point: Point; message: string }[] = [];
  const accepted: StorableObservation[] = [];
  for (const observation of observations) {
    const { readings } = observation;
    const fault = timeFaultOf(observation) ?? faultOf(observation);
    if (fault === undefined && readings.length > 0 && readings.every(isSound)) {
      accepted.push(observation);
      continue;
    }
    const sound = readings.filter((reading) => {
      const message = fault ?? readingFaultOf(reading);
      if (message !== undefined) refused.push({ point: pointOf(observation, reading), message });
      return message === undefined;
    });
    if (sound.length > 0) accepted.push({ ...observation, readings: sound });
  }
  return { accepted, refused };
}

/** Why no store can hold the roll-up; undefined when it can. */
function rollupFaultOf(rollup: Rollup): string | undefined {
  const { parameter, tier, from, to, valid, mean, min, max } = rollup;
  if (!isKept(parameter)) return `the parameter ${JSON.stringify(parameter)} does not exist`;
  if (!Number.isSafeInteger(from)) return `the time ${from} is not a whole number of milliseconds`;
  // The end is not stored.
  if (to !== from + TIER_LENGTH[tier])
    return `the time ${to} is not the end of the ${tier} that begins at ${from}`;
  for (const count of ['expected', 'received', 'valid'] as const)
    if (!Number.isSafeInteger(rollup[count])) return `${count}: ${rollup[count]} is not a whole number`;
  // InfluxDB cannot store null, and without one an earlier figure stays; so the count says that there is none.
  for (const figure of [mean, min, max])
    if (valid === 0 ? figure !== null : figure === null || !Number.isFinite(figure))
      return `the figure ${figure} does not go with ${valid} valid values`;
  const { validWithoutUnusual, meanWithoutUnusual } = rollup;
  if (validWithoutUnusual !== undefined && (validWithoutUnusual === 0) !== (meanWithoutUnusual === null))
    return `the figure ${meanWithoutUnusual} does not go with ${validWithoutUnusual} values that are not unusual`;
  return undefined;
}

/** What roll-ups have got since they were stored first, in this order. */
export const LATER_FIGURES = [
  'unusual',
  'covered',
  'unusualShare',
  'validWithoutUnusual',
  'meanWithoutUnusual',
] as const;

/** The {@link LATER_FIGURES} as a store holds them; none of a roll-up of before. */
export function laterFigures(
  stored: readonly (number | null | undefined)[],
): Pick<Rollup, (typeof LATER_FIGURES)[number]> {
  const [unusual, covered, unusualShare, validWithoutUnusual, mean] = stored;
  if (typeof unusual !== 'number' || typeof covered !== 'number') return {};
  const without = validWithoutUnusual ?? 0;
  return {
    unusual,
    covered,
    // A figure that became null may still stand in InfluxDB.
    unusualShare: covered === 0 ? null : (unusualShare ?? null),
    validWithoutUnusual: without,
    meanWithoutUnusual: without === 0 ? null : (mean ?? null),
  };
}

/** Sets aside the roll-ups that have a fault. */
export function setFaultyRollupsAside(
  rollups: readonly Rollup[],
  faultOf: (rollup: Rollup) => string | undefined,
): { accepted: readonly Rollup[]; refused: WriteReport<Rollup>['refused'] } {
  const refused: { point: Rollup; message: string }[] = [];
  const accepted = rollups.filter((point) => {
    const message = rollupFaultOf(point) ?? faultOf(point);
    if (message !== undefined) refused.push({ point, message });
    return message === undefined;
  });
  return { accepted, refused };
}

/** Of several readings of one device, parameter and instant the last one. */
export function distinctReadings(
  observations: readonly StorableObservation[],
): readonly StorableObservation[] {
  if (areInOrder(observations)) return observations;
  const single = observations.flatMap((observation) =>
    observation.readings.map((reading) => ({ ...observation, readings: [reading] as const })),
  );
  return distinct(
    single,
    ({ device, ts, readings: [{ parameter }] }) => `${device}\u0000${parameter}\u0000${ts}`,
  );
}

/**
 * Whether the observations of each device come in order of time, and none has two readings of a parameter. That is nearly
 * every batch, and it costs far less to see than a key for every reading.
 */
function areInOrder(observations: readonly StorableObservation[]): boolean {
  const newest = new Map<string, number>();
  for (const { device, ts, readings } of observations) {
    if (ts <= (newest.get(device) ?? -Infinity)) return false;
    newest.set(device, ts);
    for (let i = 1; i < readings.length; i++)
      for (let before = 0; before < i; before++)
        if (readings[before]?.parameter === readings[i]?.parameter) return false;
  }
  return true;
}

/**
 * The roll-ups of a tier: of several of one device, parameter and start the last one, and those of one device and start that
 * follow each other together.
 */
export function instantsOf(rollups: readonly Rollup[], tier: Tier): readonly Instant<Rollup>[] {
  const instants: (Instant<Rollup> & { readings: Rollup[] })[] = [];
  const ofTier = rollups.filter((rollup) => rollup.tier === tier);
  for (const rollup of distinct(ofTier, (of) => `${of.device}\u0000${of.parameter}\u0000${of.from}`)) {
    const { site, device, from: ts } = rollup;
    const last = instants.at(-1);
    if (last?.ts === ts && last.device === device && last.site === site) last.readings.push(rollup);
    else instants.push({ site, device, ts, readings: [rollup] });
  }
  return instants;
}

function distinct<T>(items: readonly T[], identity: (item: T) => string): readonly T[] {
  const byIdentity = new Map(items.map((item) => [identity(item), item]));
  return byIdentity.size === items.length ? items : [...byIdentity.values()];
}
