import { HOUR } from '#libs/kernel';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { dailyRollup, HOURS_A_DAY } from '../../daily-rollup.js';
import type { IndicatorDefinition } from '../../definition.js';
import { hourlyRollup, REQUIRED_SHARE, type HourlyRollup, type Sample } from '../../hourly-rollup.js';
import { intervalIn, type Intervals } from '../../intervals.js';
import type { Period } from '../../period.js';
import { isoInstant, provenance, provenanceInTurns, recordHead, type IndicatorRecord } from '../../record.js';
import type { Subject } from '../../subject.js';

type Head = Pick<IndicatorDefinition, 'key' | 'version' | 'unit'>;

/**
 * Mean of a device's day, or hour, from its hours, with data capture.
 *
 * @param samples - of that period, one a timestamp, in any order
 * @param promised - how often the device promised to report, and since when
 * @param isByTime - argument `changedInterval`
 */
export function meanOfHoursRecord(
  definition: Head,
  subject: Subject,
  period: Period,
  samples: readonly Sample[],
  promised: Intervals,
  isByTime: boolean,
): IndicatorRecord {
  const inputs = inPeriod(samples, period);
  const hours = hoursOf(period, inputs, promised, isByTime);
  return {
    ...recordHead(definition, subject, period),
    ...figuresOf(hours, hours.length),
    detail: {
      intervalMs: intervalIn(promised, period),
      hours: hours.map(({ hour, ...rest }) => ({ from: isoInstant(hour), ...rest })),
    },
    provenance: provenance('readings', inputs),
  };
}

/** What a device measured. */
export interface DeviceSamples {
  readonly site: string;
  readonly device: string;
  /** One a timestamp. */
  readonly samples: readonly Sample[];
  readonly promised: Intervals;
}

/**
 * The same of several devices, or of a longer period: every valid hour of every device weighs the same, and every device owes every
 * hour of the period.
 */
export async function pooledMeanOfHoursRecord(
  definition: Head,
  subject: Subject,
  period: Period,
  devices: readonly DeviceSamples[],
  isByTime: boolean,
): Promise<IndicatorRecord> {
  const all: HourlyRollup[] = [];
  const inputs: Sample[] = [];
  const each: object[] = [];
  for (const { site, device, samples, promised } of devices) {
    const own = inPeriod(samples, period);
    const hours = hoursOf(period, own, promised, isByTime);
    const { value, dataCapture } = figuresOf(hours, hours.length);
    each.push({ site, device, value, validHours: dataCapture['validHours'], share: dataCapture['share'] });
    for (const hour of hours) all.push(hour);
    for (const sample of own) inputs.push(sample);
    await turnOfTheLoop();
  }
  const { dataCapture, ...figures } = figuresOf(all, devices.length * hoursIn(period));
  return {
    ...recordHead(definition, subject, period),
    ...figures,
    dataCapture: { devices: devices.length, ...dataCapture },
    detail: subject.device === undefined ? { devices: each } : { days: daysOf(all) },
    provenance: await provenanceInTurns(
      'readings',
      inputs.sort((a, b) => a.ts - b.ts || a.shard - b.shard || a.offset - b.offset),
    ),
  };
}

function hoursIn({ from, to }: Period): number {
  return (to - from) / HOUR;
}

/** In order of time. */
function inPeriod(samples: readonly Sample[], { from, to }: Period): Sample[] {
  return samples.filter(({ ts }) => ts >= from && ts < to).toSorted((a, b) => a.ts - b.ts);
}

/** Every hour of the period. @param ordered - of the period, by time */
function hoursOf(
  period: Period,
  ordered: readonly Sample[],
  promised: Intervals,
  isByTime: boolean,
): HourlyRollup[] {
  let next = 0;
  return Array.from({ length: hoursIn(period) }, (_, i) => {
    const from = period.from + i * HOUR;
    const first = next;
    while ((ordered[next]?.ts ?? Infinity) < from + HOUR) next++;
    const averaged = [{ from, intervalMs: intervalIn(promised, { from, to: from + HOUR }) }];
    return hourlyRollup(from, ordered.slice(first, next), isByTime ? promised : averaged);
  });
}

function figuresOf(
  hours: readonly HourlyRollup[],
  expectedHours: number,
): Pick<IndicatorRecord, 'value' | 'dataCapture' | 'withoutUnusual'> {
  const whole = dailyRollup(hours, expectedHours);
  const isEnough = (valid: number): boolean => valid >= REQUIRED_SHARE * expectedHours;
  const sum = (count: (hour: HourlyRollup) => number): number =>
    hours.reduce((total, hour) => total + count(hour), 0);
  return {
    value: isEnough(whole.valid) ? whole.mean : null,
    dataCapture: {
      expectedHours,
      validHours: whole.valid,
      expected: sum(({ expected }) => expected),
      received: sum(({ received }) => received),
      valid: sum(({ valid }) => valid),
      unusual: sum(({ unusual }) => unusual),
      suspect: sum(({ suspect }) => suspect),
      failed: sum(({ failed }) => failed),
      share: whole.covered,
    },
    withoutUnusual: {
      value: isEnough(whole.withoutUnusual.valid) ? whole.withoutUnusual.mean : null,
      validHours: whole.withoutUnusual.valid,
      unusualShare: whole.unusualShare,
    },
  };
}

/** Of a period that is made of whole days: what each comes to. */
function daysOf(hours: readonly HourlyRollup[]): object[] {
  return Array.from({ length: hours.length / HOURS_A_DAY }, (_, day) => {
    const own = hours.slice(day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY);
    const { valid, mean, covered } = dailyRollup(own);
    return { from: isoInstant(own[0]?.hour ?? 0), validHours: valid, mean, covered };
  });
}
