import { z } from 'zod';
import { id, limit } from '../http/members.js';

export const alertsQuery = z.strictObject({
  state: z.enum(['pending', 'firing', 'resolved', 'cancelled']).optional(),
  device: id.optional(),
  limit: limit(100, 1_000),
});
