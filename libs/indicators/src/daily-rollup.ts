import { DAY, HOUR } from '#libs/kernel';
import type { CoveredMean, HourlyRollup } from './hourly-rollup.js';

export const HOURS_A_DAY = DAY / HOUR;

/** A day of a device and parameter, from its hours: a day counts hours as an hour counts readings. */
export interface DailyRollup {
  readonly expected: number;
  /** Hours with any reading. */
  readonly received: number;
  /** Hours of which enough is covered. */
  readonly valid: number;
  /** Of the valid hours those with any unusual value. */
  readonly unusual: number;
  /** Of the means of the valid hours, so that an hour weighs the same however often it was measured; null without any. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Share of the day that is covered, 0 to 1. */
  readonly covered: number;
  /** Share of the time of the valid hours for which unusual values speak; null without any. */
  readonly unusualShare: number | null;
  /** The same day without the unusual values. */
  readonly withoutUnusual: { readonly mean: number | null; readonly valid: number };
}

/** What a day needs of its hours. */
export type HourOfDay = Pick<
  HourlyRollup,
  'received' | 'unusual' | 'mean' | 'min' | 'max' | 'covered' | 'isValid' | 'unusualShare'
> & { readonly withoutUnusual: Pick<CoveredMean, 'mean' | 'isValid'> };

/**
 * @param hours - of one calendar day, in order of time; hours without a reading may be missing
 * @param expected - how many hours there should be; of another span than a day, or of several devices, another number
 */
export function dailyRollup(hours: readonly HourOfDay[], expected = HOURS_A_DAY): DailyRollup {
  const valid = hours.filter(({ isValid }) => isValid);
  const of = (figure: 'min' | 'max' | 'unusualShare'): number[] =>
    valid.flatMap(({ [figure]: value }) => (value === null ? [] : [value]));
  const all = meanOf(valid.map(({ mean }) => mean));
  const none = all.valid === 0;
  return {
    expected,
    received: hours.filter(({ received }) => received > 0).length,
    valid: all.valid,
    unusual: valid.filter(({ unusual }) => unusual > 0).length,
    mean: all.mean,
    min: none ? null : of('min').reduce((least, value) => Math.min(least, value)),
    max: none ? null : of('max').reduce((most, value) => Math.max(most, value)),
    covered: expected === 0 ? 0 : hours.reduce((sum, { covered }) => sum + covered, 0) / expected,
    unusualShare: meanOf(of('unusualShare')).mean,
    withoutUnusual: meanOf(hours.map(({ withoutUnusual: { isValid, mean } }) => (isValid ? mean : null))),
  };
}

function meanOf(figures: readonly (number | null)[]): { mean: number | null; valid: number } {
  const there = figures.filter((figure) => figure !== null);
  const valid = there.length;
  return { mean: valid === 0 ? null : there.reduce((sum, figure) => sum + figure, 0) / valid, valid };
}
