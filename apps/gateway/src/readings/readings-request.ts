import { z } from 'zod';
import { after, instantPlace } from '../http/page.js';
import { forwards, id, instant, limit, parameter, spanMembers } from '../http/members.js';

const readingsFilter = {
  site: id.optional(),
  device: id.optional(),
  parameter: parameter.optional(),
  ...spanMembers,
};

export const countQuery = z.strictObject(readingsFilter).refine(forwards[0], forwards[1]);

/** More than a screen has pixels. */
const MOST_BUCKETS = 2_000;

export const envelopeQuery = z
  .strictObject({
    device: id,
    parameter,
    ...spanMembers,
    to: instant.optional().describe('Device time, not included; by default now'),
    buckets: z.coerce
      .number()
      .int()
      .min(1)
      .max(MOST_BUCKETS)
      .default(600)
      .describe(
        `Into how many parts the span is divided, 1 to ${MOST_BUCKETS}; as many as the chart has pixels`,
      ),
  })
  .refine(forwards[0], forwards[1]);

export const readingsQuery = z
  .strictObject({
    ...readingsFilter,
    order: z.enum(['asc', 'desc']).default('desc'),
    after: after(z.tuple([instantPlace, z.string(), parameter])),
    limit: limit(100, 10_000),
  })
  .refine(forwards[0], forwards[1]);
