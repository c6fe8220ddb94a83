import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';
import { defineIndicatorFunction, onlyDevice } from '../../indicator-function.js';
import { meanOfHoursRecord } from './formula.js';

/** Mean of the valid hourly means of a day; none where too few hours are valid. */
export const meanOfHours = defineIndicatorFunction({
  arguments: z.strictObject({ parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]) }),
  subjects: ['device'],
  periods: ['day'],
  series: ({ parameter }) => parameter,
  // A station that measures other things owes none.
  isOwed: false,
  settings: () => ['quality'],
  async compute({ definition, args: { parameter }, subject, period }, devices) {
    const device = onlyDevice(devices);
    const samples = await device.samples(parameter, period);
    return meanOfHoursRecord(definition, subject, period, samples, await device.intervals());
  },
});
