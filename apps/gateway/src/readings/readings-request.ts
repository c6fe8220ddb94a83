import { z } from 'zod';
import { after, instantPlace } from '../http/page.js';
import { forwards, id, limit, parameter, spanMembers } from '../http/members.js';

const readingsFilter = {
  site: id.optional(),
  device: id.optional(),
  parameter: parameter.optional(),
  ...spanMembers,
};

export const countQuery = z.strictObject(readingsFilter).refine(forwards[0], forwards[1]);

export const readingsQuery = z
  .strictObject({
    ...readingsFilter,
    order: z.enum(['asc', 'desc']).default('desc'),
    after: after(z.tuple([instantPlace, z.string(), parameter])),
    limit: limit(100, 10_000),
  })
  .refine(forwards[0], forwards[1]);
