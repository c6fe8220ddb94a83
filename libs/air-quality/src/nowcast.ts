/** Hours that a NowCast looks back. */
export const NOWCAST_HOURS = 12;

/** Digits that the published value keeps: 0.1 µg/m³ for PM2.5, 1 µg/m³ for PM10. */
const STEPS_PER_UNIT = { pm25: 10, pm10: 1 } as const;

/** Above the error of the sums in binary floating point, far below the digit that is kept. */
const EPSILON = 1e-9;

export interface NowCast {
  /** Truncated to 0.1 (PM2.5) or 1 (PM10), µg/m³. */
  readonly value: number;
  /** Before truncation, µg/m³. */
  readonly raw: number;
  /** How much an hour counts against the hour after it: 0.5 in changing air, 1 in steady air. */
  readonly weight: number;
}

/**
 * PM NowCast: what a 24-hour mean would say if it could react within hours. For the live view and for alerts; it is no
 * part of ISPU and not comparable with it.
 *
 * `w = max(cmin / cmax, 0.5)`, `NowCast = Σ wⁱ·cᵢ / Σ wⁱ` with `i` the age of the hour. Source: US EPA, *PM NowCast*
 * (nepis.epa.gov P100X0J6) and AirNow Tech, "The NowCast for PM2.5 and PM10". Ours: `w` is 1 when every hour is 0, and an
 * hour that is negative or not finite is missing.
 *
 * @param hours - hourly means, µg/m³, newest first, neither rounded nor truncated; an hour without a valid mean is null or
 *   undefined and keeps its place. Hours beyond the twelfth are ignored.
 * @returns undefined unless at least 2 of the 3 newest hours are valid
 */
export function nowCast(
  parameter: 'pm25' | 'pm10',
  hours: readonly (number | null | undefined)[],
): NowCast | undefined {
  const valid = hours
    .slice(0, NOWCAST_HOURS)
    .map((concentration, age) => ({ concentration: concentration ?? NaN, age }))
    .filter(({ concentration }) => concentration >= 0 && concentration < Infinity);
  if (valid.filter(({ age }) => age < 3).length < 2) return undefined;
  const concentrations = valid.map(({ concentration }) => concentration);
  const highest = Math.max(...concentrations);
  const weight = highest === 0 ? 1 : Math.max(Math.min(...concentrations) / highest, 0.5);
  let [sum, weights] = [0, 0];
  for (const { concentration, age } of valid) {
    sum += weight ** age * concentration;
    weights += weight ** age;
  }
  const raw = sum / weights;
  const steps = STEPS_PER_UNIT[parameter];
  return { value: Math.floor(raw * steps + EPSILON) / steps, raw, weight };
}
