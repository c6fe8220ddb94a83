/** A linear correction by humidity, or a curve without it, of the `cf_1` series. */
type Correction = (pa: number, rh: number) => number;

/** Published with the extension to extreme smoke: the first form, a blend, and a curve above. */
const epa2021: Correction = (pa, rh) => {
  const line = 0.524 * pa - 0.0862 * rh + 5.75;
  if (pa < 570) return line;
  const curve = 0.000421 * pa ** 2 + 0.392 * pa + 3.44;
  if (pa >= 611) return curve;
  // The published weight, which is 0.008 at 570 and 1.008 at 611: the steps at both ends stay below 1 µg/m³.
  const weight = 0.0244 * pa - 13.9;
  return weight * curve + (1 - weight) * line;
};

/** AirNow's Fire and Smoke Map before the extension. */
const fireSmokeMap: Correction = (pa, rh) =>
  pa <= 343 ? 0.52 * pa - 0.086 * rh + 5.75 : 0.46 * pa + 0.000393 * pa ** 2 + 2.97;

const april2020: Correction = (pa, rh) => 0.52 * pa - 0.085 * rh + 5.71;

/**
 * US-wide corrections of PurpleAir's PM2.5, by name; print the name wherever a corrected value is shown.
 *
 * - `epa-2021`: Barkjohn, Gantt & Clements 2021, Atmos. Meas. Tech. 14, 4617, extended to extreme smoke in 2022 (Barkjohn
 *   et al., Sensors 22, 9669). The line below 570 µg/m³ and the blend's weight were read in PurpleAir's account of it;
 *   how the blend is composed and the curve from 611 µg/m³ on are general knowledge and were **not verified** in a
 *   source: check them before such a value enters a report.
 * - `fire-smoke-map`: the older two-part form, as documented by AirSensor2 (`pat_applyCorrection`). Its parts do not
 *   meet at 343 µg/m³.
 * - `epa-2020-04`: the first form, April 2020.
 */
export const PM25_CORRECTIONS = {
  'epa-2021': epa2021,
  'fire-smoke-map': fireSmokeMap,
  'epa-2020-04': april2020,
} as const satisfies Readonly<Record<string, Correction>>;
export type Pm25Correction = keyof typeof PM25_CORRECTIONS;
export const PM25_CORRECTION_NAMES = Object.keys(PM25_CORRECTIONS) as [Pm25Correction, ...Pm25Correction[]];

export const DEFAULT_PM25_CORRECTION: Pm25Correction = 'epa-2021';

export interface CorrectedPm25 {
  /** What may be published, µg/m³: never below 0. */
  readonly value: number;
  /** What the formula gave, µg/m³; below 0 for clean, damp air. Average this one, or the clamp biases the mean. */
  readonly raw: number;
  readonly correction: Pm25Correction;
}

/**
 * Corrects PM2.5 of an optical counter of PurpleAir's kind (Plantower PMS5003) for the water on the particles.
 *
 * Fitted to 24-hour and hourly means in the United States; not to single readings, not in Sumatra and not on peat smoke.
 * So the uncorrected value stays the default everywhere until a sensor has stood beside a reference here.
 *
 * @param pm25 - mean of channels A and B of the `cf_1` series, µg/m³
 * @param relativeHumidity - %, as the sensor itself reports it: the fit contains its dry bias
 * @returns undefined when either is missing, not finite or impossible (PM2.5 below 0, humidity outside 0 to 100)
 */
export function correctPm25(
  pm25: number | null | undefined,
  relativeHumidity: number | null | undefined,
  correction: Pm25Correction = DEFAULT_PM25_CORRECTION,
): CorrectedPm25 | undefined {
  if (!isBetween(pm25, 0, Number.MAX_SAFE_INTEGER) || !isBetween(relativeHumidity, 0, 100)) return undefined;
  const raw = PM25_CORRECTIONS[correction](pm25, relativeHumidity);
  return { value: Math.max(0, raw), raw, correction };
}

/** False for NaN and for what is missing. */
function isBetween(value: number | null | undefined, low: number, high: number): value is number {
  return typeof value === 'number' && value >= low && value <= high;
}
