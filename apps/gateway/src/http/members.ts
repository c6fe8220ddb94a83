import { DAY, localDaySpan, PantauError, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import { z } from 'zod';

/** At most so many items of a list. */
export const limit = (standard: number, most: number) =>
  z.coerce.number().int().min(1).max(most).default(standard).describe(`At most this many, 1 to ${most}`);
/** A time outside these is a typing error. */
const EARLIEST = 0;
const LATEST = Date.UTC(2200, 0);
export const instant = z.iso
  .datetime({ offset: true, error: 'expected ISO 8601 with Z or an offset' })
  .transform((text) => Date.parse(text))
  .refine((at) => at >= EARLIEST && at < LATEST, 'expected a time from 1970 to 2199');
export const day = z
  .string()
  .refine((text) => localDaySpan(text) !== undefined, 'expected a calendar day, YYYY-MM-DD');
export const id = z.string().max(63);
export const parameter = z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]);

/** The span of a query goes forwards. */
export const forwards = [
  ({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }): boolean =>
    from === undefined || to === undefined || from < to,
  { path: ['to'] as string[], message: 'expected a time after from' },
] as const;

/** How far back a query goes that does not say where it begins, and the longest that one may ask for. */
const DEFAULT_SPAN_DAYS = 31;
const LONGEST_SPAN_DAYS = 366;
export const LONGEST_SPAN = `expected a time after from, at most ${LONGEST_SPAN_DAYS} days later`;

/** Members of a query over stored values: without an end it goes on to the newest. */
export const spanMembers = {
  from: instant.optional().meta({
    description: `Device time, included; by default ${DEFAULT_SPAN_DAYS} days before \`to\`, at most ${LONGEST_SPAN_DAYS} days`,
    'x-default-days': DEFAULT_SPAN_DAYS,
    'x-longest-days': LONGEST_SPAN_DAYS,
  }),
  to: instant.optional().describe('Device time, not included; without it there is no end'),
};

/** The span that such a query means. @throws PantauError `USAGE` for one that is too long */
export function spanOf(
  { from, to }: { readonly from?: UtcMillis | undefined; readonly to?: UtcMillis | undefined },
  now: UtcMillis,
): TimeSpan {
  const end = to ?? now;
  const span = { from: from ?? Math.max(EARLIEST, end - DEFAULT_SPAN_DAYS * DAY), to: to ?? LATEST };
  if (end - span.from <= LONGEST_SPAN_DAYS * DAY) return span;
  throw new PantauError('USAGE', `from: ${LONGEST_SPAN}`, {
    fields: [{ field: 'to', message: LONGEST_SPAN }],
  });
}

export const jsonOfAtMost = (bytes: number) => (value: unknown) =>
  JSON.stringify(value ?? null).length <= bytes;
