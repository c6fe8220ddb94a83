import { ruleView, type AlertRule, SEVERITIES } from '#libs/alerting';
import { z } from 'zod';
import { json, parameterCode, text, type Answer } from '../http/answer.js';

/** Beside what every rule has stands what its kind takes; that of a threshold is named here. */
export const ruleSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    title: text,
    select: z
      .strictObject({ sites: z.array(z.string()).optional(), devices: z.array(z.string()).optional() })
      .describe('Which devices; all where it says nothing'),
    severity: z.enum(SEVERITIES),
    parameter: parameterCode.optional(),
    direction: z.enum(['above', 'below']).optional(),
    raise: z.number().optional(),
    clear: z.number().optional(),
    forMs: z.number().optional(),
    maxGapMs: z.number().optional(),
    includeSuspect: z.boolean().optional(),
  })
  .catchall(json)
  .meta({ id: 'Rule' });

export const rulesSchema = z.strictObject({ items: z.array(ruleSchema) });

/** A rule is what stands in a file: plain data. */
export function ruleOf(rule: AlertRule): Answer<typeof ruleSchema> {
  return ruleView(rule) as unknown as Answer<typeof ruleSchema>;
}
