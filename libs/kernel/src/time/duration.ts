import { z } from 'zod';
import { parseDuration, type Millis } from './time.js';

/** A length of time as written in files and requests (`30s`, `5m`, `2h`, `1d`), as milliseconds. */
export const duration = z.string().transform((text, context): Millis => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({
    code: 'custom',
    message: `expected a duration such as 30s, 5m, 2h or 1d, found "${text}"`,
  });
  return z.NEVER;
});
