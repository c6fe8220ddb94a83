import { canonicalJson, parseDuration } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `expected a duration such as 5m or 2h, found "${text}"` });
  return z.NEVER;
});

/** A threshold on one parameter, with hysteresis and a time that the breach must last. */
export const thresholdRuleSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens'),
    title: z
      .strictObject({ id: z.string().min(1), en: z.string().min(1) })
      .describe('Indonesian and English'),
    parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]),
    /** Which devices; all by default. */
    select: z
      .strictObject({ sites: z.array(z.string()).optional(), devices: z.array(z.string()).optional() })
      .default({}),
    direction: z.enum(['above', 'below']).default('above'),
    /** Breached at this value and beyond. */
    raise: z.number(),
    /** Over only when the value is beyond this on the good side; between the two the state holds. */
    clear: z.number(),
    /** How long, in event time, the breach must last before the alert fires. */
    for: duration,
    /** A longer silence while pending starts the time anew: silence is no evidence of a lasting breach. */
    maxGap: duration.optional(),
    severity: z.enum(['info', 'warning', 'critical']),
    /** Judge doubtful values too: suspect because of the instrument. Unusual values always count, failed ones never. */
    includeSuspect: z.boolean().default(false),
  })
  .refine((rule) => (rule.direction === 'above' ? rule.clear <= rule.raise : rule.clear >= rule.raise), {
    path: ['clear'],
    message:
      'clear must lie on the good side of raise: at or below it for "above", at or above it for "below"',
  });
export type ThresholdRule = Readonly<z.output<typeof thresholdRuleSchema>>;

/** `rules.yaml`. */
export const rulesFileSchema = z
  .strictObject({ rules: z.array(thresholdRuleSchema) })
  .refine(({ rules }) => new Set(rules.map(({ id }) => id)).size === rules.length, {
    path: ['rules'],
    message: 'rule ids must differ',
  });

/** The text that identifies the content of a rule: equal rules, equal text. */
export function ruleText(rule: ThresholdRule): string {
  return canonicalJson(rule);
}

export function appliesTo(
  rule: ThresholdRule,
  { site, device }: { readonly site: string; readonly device: string },
): boolean {
  const { sites, devices } = rule.select;
  return (sites?.includes(site) ?? true) && (devices?.includes(device) ?? true);
}
