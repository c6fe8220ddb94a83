import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';
import { defineIndicatorFunction, onlyDevice } from '../../indicator-function.js';
import { PERIOD_UNITS, type PeriodUnit } from '../../period.js';
import { assertInputs } from '../../record.js';
import { SUBJECT_KINDS } from '../../subject.js';
import { meanOfHoursRecord, pooledMeanOfHoursRecord, type DeviceSamples } from './formula.js';

/** Of these the record of a device shows every hour. */
const SHORT: readonly PeriodUnit[] = ['hour', 'day'];

/** Mean of the valid hourly means of a period; none where fewer than three quarters of the hours are valid. */
export const meanOfHours = defineIndicatorFunction({
  arguments: z.strictObject({
    parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]),
    /**
     * In an hour in which the interval changed, each value is counted and weighed by the interval of its time. Without it all are by
     * one that is averaged over the hour, as in figures that were handed out before.
     */
    changedInterval: z.literal('by_time').optional(),
  }),
  subjects: SUBJECT_KINDS,
  periods: PERIOD_UNITS,
  series: ({ parameter }) => parameter,
  // A station that measures other things owes none.
  isOwed: false,
  settings: () => ['quality'],
  async compute({ definition, args: { parameter, changedInterval }, subject, period }, devices) {
    const isByTime = changedInterval === 'by_time';
    if (subject.device !== undefined && SHORT.includes(period.unit)) {
      const device = onlyDevice(devices);
      const samples = await device.samples(parameter, period);
      const promised = await device.intervals();
      return meanOfHoursRecord(definition, subject, period, samples, promised, isByTime);
    }
    const measured: DeviceSamples[] = [];
    let inputs = 0;
    for (const each of devices) {
      const { site, device } = each;
      // One that began later owes nothing of this period, and one that never did, nothing at all.
      const reach = await each.reach(parameter);
      if (subject.device === undefined && (reach?.from ?? Infinity) >= period.to) continue;
      const samples = await each.samples(parameter, period);
      assertInputs((inputs += samples.length));
      measured.push({ site, device, samples, promised: await each.intervals() });
    }
    return pooledMeanOfHoursRecord(definition, subject, period, measured, isByTime);
  },
});
