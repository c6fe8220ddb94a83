import { ALERT_PHASES, SEVERITIES } from '#libs/alerting';
import { z } from 'zod';
import { forwards, id, instant, limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const alertsQuery = z
  .strictObject({
    state: z.enum(ALERT_PHASES).optional(),
    device: id.optional(),
    site: id.optional(),
    severity: z.enum(SEVERITIES).optional(),
    rule: z.string().max(63).optional(),
    from: instant.optional().describe('Those that began at this time or later, device time'),
    to: instant.optional().describe('Those that began before this time'),
    after: afterName,
    limit: limit(100, 1_000),
  })
  .refine(forwards[0], forwards[1]);

/** Of an alert: since when it lasts, as in its id. */
export const since = z.coerce.number().int().min(0);
