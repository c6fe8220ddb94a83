import { DAY, HOUR } from '#libs/kernel';
import type { HourlyRollup } from './hourly-rollup.js';

export const HOURS_A_DAY = DAY / HOUR;

/** A day of a device and parameter, from its hours: a day counts hours as an hour counts readings. */
export interface DailyRollup {
  readonly expected: number;
  /** Hours with any reading. */
  readonly received: number;
  /** Hours of which enough passed. */
  readonly valid: number;
  /** Of the means of the valid hours, so that an hour weighs the same however often it was measured; null without any. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** @param hours - of one calendar day, in order of time; hours without a reading may be missing */
export function dailyRollup(
  hours: readonly Pick<HourlyRollup, 'received' | 'isValid' | 'mean' | 'min' | 'max'>[],
): DailyRollup {
  const valid = hours.filter(({ isValid }) => isValid);
  const of = (figure: 'mean' | 'min' | 'max'): number[] =>
    valid.flatMap(({ [figure]: value }) => (value === null ? [] : [value]));
  const means = of('mean');
  const none = means.length === 0;
  return {
    expected: HOURS_A_DAY,
    received: hours.filter(({ received }) => received > 0).length,
    valid: means.length,
    mean: none ? null : means.reduce((sum, mean) => sum + mean, 0) / means.length,
    min: none ? null : Math.min(...of('min')),
    max: none ? null : Math.max(...of('max')),
  };
}
