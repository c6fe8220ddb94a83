import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { id, limit } from '../http/members.js';

export const rejectedQuery = z.strictObject({
  reason: z.enum(REJECTION_REASONS).optional(),
  device: id.optional(),
  limit: limit(50, 1_000),
});
