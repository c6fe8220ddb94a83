import { z } from 'zod';

export const foreignTopicsQuery = z.strictObject({
  device: z.string().max(63).optional().describe('Topics that this device or account published on'),
  reason: z.enum(['not_mapped', 'topic_not_allowed']).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
