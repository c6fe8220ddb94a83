import type { QualityFlag, Reading } from '#libs/telemetry';
import type { QcTest } from './flags.js';

/**
 * What a value is good for: the one answer that every consumer goes by. The flag says how sure the tests are; this says what
 * they are sure of. `docs/quality-control.md` has the rule of each test and of each consumer as tables.
 *
 * - `sound`: it passed.
 * - `unusual`: rare, and perhaps true. It counts, and every figure says what it would be without.
 * - `doubtful`: a test says that the instrument, its clock or its surroundings may be at fault. It does not count.
 * - `failed`: it cannot be true, or the instrument is stuck. It does not count.
 * - `unjudged`: not evaluated.
 * - `missing`: there is no value.
 */
export type Standing = 'sound' | 'unusual' | 'doubtful' | 'failed' | 'unjudged' | 'missing';

/** What a suspicion (flag 3) of each test is about: rare air, or an instrument at fault. A failure (4) is always the latter. */
export const SUSPICION_OF: Readonly<Record<QcTest, 'unusual' | 'doubtful'>> = {
  gross_range: 'unusual',
  spike: 'unusual',
  rate_of_change: 'unusual',
  flat_line: 'unusual',
  saturation: 'doubtful',
  cross_parameter: 'unusual',
  humidity: 'doubtful',
  neighbour: 'unusual',
  clock: 'doubtful',
  clock_ahead: 'unusual',
  device: 'doubtful',
};

/** The standing of a judged value. A test that only a later version knows makes a suspect value doubtful. */
export function standingOf({ flag, failed = [] }: Pick<Reading, 'flag' | 'failed'>): Standing {
  switch (flag) {
    case 1:
      return 'sound';
    case 3:
      return failed.every((test) => SUSPICIONS[test] === 'unusual') ? 'unusual' : 'doubtful';
    case 4:
      return 'failed';
    case 2:
      return 'unjudged';
    case 9:
      return 'missing';
  }
}

const SUSPICIONS: Readonly<Record<string, 'unusual' | 'doubtful' | undefined>> = SUSPICION_OF;

/** Whether a value enters means and data capture: of an hour, a day, an index, a comparison with neighbours. */
export function entersFigures(standing: Standing): boolean {
  return standing === 'sound' || standing === 'unusual';
}

/**
 * Whether a value can raise an alert or end one.
 *
 * @param includeSuspect - of the rule: doubtful values too
 */
export function entersAlerts(standing: Standing, includeSuspect: boolean): boolean {
  return entersFigures(standing) || standing === 'unjudged' || (standing === 'doubtful' && includeSuspect);
}

/**
 * Flag and standing in one digit, for what is stored by the million: the flag itself, but 5 for a suspect value that is
 * unusual and 6 for one that is doubtful. A 3 was written when suspect values were not told apart; nearly all were beyond
 * the plausible range, so it is read as unusual.
 */
export function markOf(reading: Pick<Reading, 'flag' | 'failed'>): number {
  if (reading.flag !== 3) return reading.flag;
  return standingOf(reading) === 'unusual' ? 5 : 6;
}

/** What {@link markOf} wrote. */
export function judgementOf(mark: number): { readonly flag: QualityFlag; readonly standing: Standing } {
  if (mark === 3 || mark === 5) return UNUSUAL;
  if (mark === 6) return DOUBTFUL;
  const flag = mark as QualityFlag;
  return { flag, standing: standingOf({ flag }) };
}

const UNUSUAL = { flag: 3, standing: 'unusual' } as const;
const DOUBTFUL = { flag: 3, standing: 'doubtful' } as const;
