import { DAY, localDateOf, localDaySpan, PantauError, type UtcMillis } from '#libs/kernel';
import { z } from 'zod';
import { day, id } from '../http/members.js';

export const noQuery = z.strictObject(
  {},
  { error: 'takes no parameter: one device is checked by POST /api/v1/reconciliation/check' },
);

export const checkBody = z.strictObject({ device: id.optional().describe('One device alone') });

/** So many rows of each stage are read at most. */
const MOST_DAYS = 31;
const USUAL_DAYS = 7;

export const daysQuery = z.strictObject({
  from: day
    .optional()
    .describe(`First day of arrival (Asia/Jakarta); by default ${USUAL_DAYS - 1} before \`to\``),
  to: day.optional().describe(`Last day, included, at most ${MOST_DAYS} days in all; by default today`),
});

/** The days that a query means, in their order. @throws PantauError `USAGE` for too many, or none */
export function daysOf({ from, to }: z.output<typeof daysQuery>, now: UtcMillis): string[] {
  const last = localDaySpan(to ?? localDateOf(now))?.from ?? now;
  const first = from === undefined ? last - (USUAL_DAYS - 1) * DAY : (localDaySpan(from)?.from ?? now);
  const count = Math.round((last - first) / DAY) + 1;
  if (count >= 1 && count <= MOST_DAYS)
    return Array.from({ length: count }, (_, i) => localDateOf(first + i * DAY));
  const message = `expected from or a later day, at most ${MOST_DAYS} days in all`;
  throw new PantauError('USAGE', `to: ${message}`, { fields: [{ field: 'to', message }] });
}
