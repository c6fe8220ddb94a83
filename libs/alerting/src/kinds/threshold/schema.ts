import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';
import { duration } from '#libs/kernel';
import { ruleHead } from '../../rule-kind.js';

/** A threshold on one parameter, with hysteresis and a time that the breach must last. */
export const thresholdRuleSchema = z
  .strictObject({
    ...ruleHead,
    parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]),
    direction: z.enum(['above', 'below']).default('above'),
    /** Breached at this value and beyond. */
    raise: z.number(),
    /** Over only when the value is beyond this on the good side; between the two the state holds. */
    clear: z.number(),
    /** How long, in event time, the breach must last before the alert fires. */
    for: duration,
    /** A longer silence while pending starts the time anew: silence is no evidence of a lasting breach. */
    maxGap: duration.optional(),
    /** Judge doubtful values too: suspect because of the instrument. Unusual values always count, failed ones never. */
    includeSuspect: z.boolean().default(false),
  })
  .refine((rule) => (rule.direction === 'above' ? rule.clear <= rule.raise : rule.clear >= rule.raise), {
    path: ['clear'],
    message:
      'clear must lie on the good side of raise: at or below it for "above", at or above it for "below"',
  });
export type ThresholdRule = Readonly<z.output<typeof thresholdRuleSchema>>;
