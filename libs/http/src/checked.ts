import { assertWithin, PantauError, REQUEST_BOUNDS } from '#libs/kernel';
import { z } from 'zod';
import { indonesianOf } from './language.js';

const SHOWN_PROBLEMS = 20;
/** What zod says, where a schema has no words of its own. */
const INDONESIAN = z.locales.id().localeError;

/**
 * What came with a request, checked: first that it is within bounds, because schemas recurse, then against its schema.
 *
 * @throws PantauError `INPUT_LIMIT` or `USAGE`, with what is wrong with which member
 */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  assertWithin(value, REQUEST_BOUNDS);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const indonesian = schema.safeParse(value, { error: INDONESIAN }).error?.issues ?? [];
  const fields = result.error.issues.slice(0, SHOWN_PROBLEMS).map(({ path, message }, i) => ({
    field: path.join('.') || 'request',
    message,
    indonesian: indonesianOf(message) ?? indonesian[i]?.message ?? message,
  }));
  throw new PantauError('USAGE', fields.map(({ field, message }) => `${field}: ${message}`).join('; '), {
    fields,
  });
}
