import { HOUR } from '#libs/kernel';
import { dailyRollup, HOURS_A_DAY } from '../../daily-rollup.js';
import type { IndicatorDefinition } from '../../definition.js';
import { hourlyRollup, REQUIRED_SHARE, type Sample } from '../../hourly-rollup.js';
import { intervalIn, type Intervals } from '../../intervals.js';
import type { Period } from '../../period.js';
import { iso, provenance, recordHead, type IndicatorRecord } from '../../record.js';
import type { Subject } from '../../subject.js';

/**
 * Mean of a day from its hours, with data capture.
 *
 * @param samples - of that day, one a timestamp, in any order
 * @param intervals - how often the device promised to report, and since when
 */
export function meanOfHoursRecord(
  definition: Pick<IndicatorDefinition, 'key' | 'version' | 'unit'>,
  subject: Subject,
  period: Period,
  samples: readonly Sample[],
  promised: Intervals,
): IndicatorRecord {
  const intervalMs = intervalIn(promised, period);
  const inputs = samples
    .filter(({ ts }) => ts >= period.from && ts < period.to)
    .toSorted((a, b) => a.ts - b.ts);
  const hours = Array.from({ length: HOURS_A_DAY }, (_, i) => {
    const hour = period.from + i * HOUR;
    return hourlyRollup(
      hour,
      inputs.filter(({ ts }) => ts >= hour && ts < hour + HOUR),
      intervalIn(promised, { from: hour, to: hour + HOUR }),
    );
  });
  const day = dailyRollup(hours);
  const sum = (count: (hour: (typeof hours)[number]) => number): number =>
    hours.reduce((total, hour) => total + count(hour), 0);
  return {
    ...recordHead(definition, subject, period),
    value: enoughHours(day.valid) ? day.mean : null,
    dataCapture: {
      expectedHours: HOURS_A_DAY,
      validHours: day.valid,
      expected: sum(({ expected }) => expected),
      received: sum(({ received }) => received),
      valid: sum(({ valid }) => valid),
      unusual: sum(({ unusual }) => unusual),
      suspect: sum(({ suspect }) => suspect),
      failed: sum(({ failed }) => failed),
      share: day.covered,
    },
    withoutUnusual: {
      value: enoughHours(day.withoutUnusual.valid) ? day.withoutUnusual.mean : null,
      validHours: day.withoutUnusual.valid,
      unusualShare: day.unusualShare,
    },
    detail: { intervalMs, hours: hours.map(({ hour, ...rest }) => ({ from: iso(hour), ...rest })) },
    provenance: provenance('readings', inputs),
  };
}

function enoughHours(valid: number): boolean {
  return valid >= REQUIRED_SHARE * HOURS_A_DAY;
}
