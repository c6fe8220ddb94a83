import type { MeasuredParameter, Unit } from '#libs/telemetry';

/** Said of a number that stands for a dead sensor. */
export const DEAD = 'which stands for a sensor that does not answer; check its cable';

/** Numbers that many firmwares and loggers write for "no value", sometimes after a calibration that moved them a little. */
const SENTINELS = [-999, -1000, -9999] as const;
const SENTINEL_WIDTH = 2;

/** A DS18B20 that is not connected, in both units; the driver's constant `DEVICE_DISCONNECTED_C`. */
const DISCONNECTED: Partial<Readonly<Record<Unit, number>>> = { degC: -127, degF: -196.6 };
const ABSOLUTE_ZERO: Partial<Readonly<Record<Unit, number>>> = { degC: -273.15, degF: -459.67, K: 0 };

/** Why a number is no measured value whoever sends it; undefined for one that can be. */
export function notMeasured(parameter: MeasuredParameter, value: number, unit: Unit): string | undefined {
  if (SENTINELS.some((sentinel) => Math.abs(value - sentinel) < SENTINEL_WIDTH)) return DEAD;
  if (parameter !== 'temperature') return undefined;
  if (value === DISCONNECTED[unit]) return DEAD;
  return value < (ABSOLUTE_ZERO[unit] ?? -Infinity) ? 'below absolute zero; check the sensor' : undefined;
}
