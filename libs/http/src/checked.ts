import { assertWithin, PantauError, REQUEST_BOUNDS } from '#libs/kernel';
import type { z } from 'zod';

const SHOWN_PROBLEMS = 20;

/**
 * What came with a request, checked: first that it is within bounds, because schemas recurse, then against its schema.
 *
 * @throws PantauError `INPUT_LIMIT` or `USAGE`, with what is wrong with which member
 */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  assertWithin(value, REQUEST_BOUNDS);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, SHOWN_PROBLEMS).map(({ path, message }) => ({
    field: path.join('.') || 'request',
    message,
  }));
  throw new PantauError('USAGE', fields.map(({ field, message }) => `${field}: ${message}`).join('; '), {
    fields,
  });
}
