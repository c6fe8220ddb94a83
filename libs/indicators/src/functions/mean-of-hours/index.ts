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
  arguments: z.strictObject({ parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]) }),
  subjects: SUBJECT_KINDS,
  periods: PERIOD_UNITS,
  series: ({ parameter }) => parameter,
  // A station that measures other things owes none.
  isOwed: false,
  settings: () => ['quality'],
  async compute({ definition, args: { parameter }, subject, period }, devices) {
    if (subject.device !== undefined && SHORT.includes(period.unit)) {
      const device = onlyDevice(devices);
      const samples = await device.samples(parameter, period);
      return meanOfHoursRecord(definition, subject, period, samples, await device.intervals());
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
    return pooledMeanOfHoursRecord(definition, subject, period, measured);
  },
});
