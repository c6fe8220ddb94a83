import type { MeasuredParameter, Unit } from '#libs/telemetry';

/** Said of a number that stands for a dead sensor. */
export const DEAD = 'which stands for a sensor that does not answer; check its cable';

/** Numbers that many firmwares and loggers write for "no value", sometimes after a calibration that moved them a little. */
const SENTINELS = [-999, -1000, -9999] as const;
const SENTINEL_WIDTH = 2;

/** A DS18B20 that is not connected; the driver's constant `DEVICE_DISCONNECTED_C`. In both units. */
const DISCONNECTED: Partial<Readonly<Record<Unit, number>>> = { degC: -127, degF: -196.6 };
/** What a DS18B20 holds from power-on until its first conversion (data sheet, "Temperature Register"). In both units. */
const POWERED_ON: Partial<Readonly<Record<Unit, number>>> = { degC: 85, degF: 185 };
/** All ones of a 16-bit field, which many sensors and decoders write for "no value", in tenths too. */
const ONES = [65535, 6553.5] as const;
/** The same of the fields of climate, in tenths and hundredths, signed and not; dragino-end-node-decoder#2 has -327.67. */
const CLIMATE_ONES = [655.35, 3276.7, 327.67, -327.67, -327.68] as const;
const ABSOLUTE_ZERO: Partial<Readonly<Record<Unit, number>>> = { degC: -273.15, degF: -459.67, K: 0 };

/** Why a number is no measured value whoever sends it; undefined for one that can be. */
export function notMeasured(parameter: MeasuredParameter, value: number, unit: Unit): string | undefined {
  if (SENTINELS.some((sentinel) => Math.abs(value - sentinel) < SENTINEL_WIDTH)) return DEAD;
  if (ONES.some((ones) => ones === value)) return DEAD;
  if (parameter !== 'temperature' && parameter !== 'humidity') return undefined;
  if (CLIMATE_ONES.some((ones) => ones === value)) return DEAD;
  if (parameter === 'humidity') return undefined;
  if (value === POWERED_ON[unit])
    return 'which a DS18B20 holds since it was powered until it measures; check its power';
  if (value === DISCONNECTED[unit]) return DEAD;
  return value < (ABSOLUTE_ZERO[unit] ?? -Infinity) ? 'below absolute zero; check the sensor' : undefined;
}
