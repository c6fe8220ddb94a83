import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { after } from '../http/page.js';
import { id, limit } from '../http/members.js';

export const rejectedQuery = z.strictObject({
  reason: z.enum(REJECTION_REASONS).optional(),
  device: id.optional(),
  after: after(z.array(z.int().min(0)).max(1_024)),
  limit: limit(50, 1_000),
});
