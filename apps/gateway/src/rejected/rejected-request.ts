import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { after } from '../http/page.js';
import { forwards, id, instant, limit } from '../http/members.js';

export const rejectedQuery = z
  .strictObject({
    reason: z.enum(REJECTION_REASONS).optional(),
    device: id.optional(),
    site: id.optional(),
    from: instant.optional().describe('Arrival, included'),
    to: instant.optional().describe('Arrival, not included'),
    after: after(z.array(z.int().min(0)).max(1_024)),
    limit: limit(50, 1_000),
  })
  .refine(forwards[0], forwards[1]);
