import { nearestName, PantauError } from '#libs/kernel';
import { z } from 'zod';
import type { IndicatorDefinition } from './definition.js';
import { INDICATOR_FUNCTIONS } from './functions/index.js';
import type { IndicatorFunction } from './indicator-function.js';
import { PERIOD_UNITS } from './period.js';
import { SUBJECT_KINDS } from './subject.js';

const functions: Readonly<Record<string, IndicatorFunction>> = INDICATOR_FUNCTIONS;

const text = z.strictObject({ id: z.string().min(1), en: z.string().min(1) });
/** One entry of `indicators.yaml`. */
export const indicatorSchema = z
  .strictObject({
    key: z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'expected lower-case words with dots between'),
    version: z.int().min(1),
    name: text,
    formula: text,
    unit: z.string().min(1),
    subject: z.enum(SUBJECT_KINDS).default('device'),
    deviceKind: z.enum(['air', 'camera']).optional(),
    period: z.enum(PERIOD_UNITS).default('day'),
    function: z.string(),
    arguments: z.unknown().default({}),
  })
  .transform((raw, context): IndicatorDefinition => {
    const of = Object.hasOwn(functions, raw.function) ? functions[raw.function] : undefined;
    const refuse = (member: 'function' | 'subject' | 'period', message: string): never => {
      context.addIssue({ code: 'custom', path: [member], message });
      return z.NEVER;
    };
    if (of === undefined) {
      const nearest = nearestName(raw.function, Object.keys(functions));
      const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
      const known = Object.keys(functions).join(', ');
      return refuse('function', `no function "${raw.function}"; known: ${known}.${hint}`);
    }
    if (!of.subjects.includes(raw.subject))
      return refuse('subject', `${raw.function} is computed of a ${of.subjects.join(', ')} alone`);
    if (!of.periods.includes(raw.period))
      return refuse('period', `${raw.function} is computed of a ${of.periods.join(', ')} alone`);
    const args = of.arguments.safeParse(raw.arguments);
    if (args.success) return { ...raw, arguments: args.data };
    for (const issue of args.error.issues)
      context.issues.push({ ...issue, path: ['arguments', ...issue.path], input: raw } as never);
    return z.NEVER;
  });

/** `indicators.yaml`. */
export const indicatorsFileSchema = z
  .strictObject({ indicators: z.array(indicatorSchema) })
  .refine(({ indicators }) => new Set(indicators.map(({ key }) => key)).size === indicators.length, {
    path: ['indicators'],
    message: 'keys of indicators must differ',
  });

/** The function that an indicator names. @throws PantauError `NOT_FOUND` */
export function functionOf(definition: IndicatorDefinition): IndicatorFunction {
  const found = Object.hasOwn(functions, definition.function) ? functions[definition.function] : undefined;
  if (found === undefined) throw new PantauError('NOT_FOUND', `no function ${definition.function}.`);
  return found;
}
