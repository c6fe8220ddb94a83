import { z } from 'zod';
import { after } from '../http/page.js';
import { forwards, id, instant, limit, parameter } from '../http/members.js';

const readingsFilter = {
  site: id.optional(),
  device: id.optional(),
  parameter: parameter.optional(),
  from: instant.optional().describe('Device time, included'),
  to: instant.optional().describe('Device time, not included'),
};

export const countQuery = z.strictObject(readingsFilter).refine(forwards[0], forwards[1]);

export const readingsQuery = z
  .strictObject({
    ...readingsFilter,
    order: z.enum(['asc', 'desc']).default('desc'),
    after: after(z.tuple([z.number(), z.string(), parameter])),
    limit: limit(100, 10_000),
  })
  .refine(forwards[0], forwards[1]);
