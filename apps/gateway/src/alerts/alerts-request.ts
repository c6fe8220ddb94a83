import { z } from 'zod';
import { forwards, id, instant, limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const alertsQuery = z
  .strictObject({
    state: z.enum(['pending', 'firing', 'resolved', 'cancelled']).optional(),
    device: id.optional(),
    site: id.optional(),
    severity: z.enum(['info', 'warning', 'critical']).optional(),
    rule: z.string().max(63).optional(),
    from: instant.optional().describe('Those that began at this time or later, device time'),
    to: instant.optional().describe('Those that began before this time'),
    after: afterName,
    limit: limit(100, 1_000),
  })
  .refine(forwards[0], forwards[1]);
