import { z } from 'zod';
import { count } from '../http/answer.js';

const part = z.enum(['ok', 'down']);
const bytes = z.number().min(0);

/** Where somebody is known who asks, the optional members are there. */
export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'degraded', 'down']),
    detail: z.string(),
    parts: z.record(z.string(), part),
    store: z.strictObject({ status: z.enum(['ok', 'unavailable']), error: z.string().optional() }),
    journal: z.strictObject({
      accepting: z.boolean(),
      freeBytes: bytes.nullable().optional().describe('null: nobody can tell'),
      minFreeBytes: bytes.optional(),
    }),
    threads: z.record(z.string(), z.strictObject({ lagMs: z.number().nullable() })).optional(),
    lag: z.record(z.string(), count).optional().describe('By stage and stream'),
  })
  .meta({ id: 'Health' });
