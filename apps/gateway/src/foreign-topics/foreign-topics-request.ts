import { z } from 'zod';
import { limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const foreignTopicsQuery = z.strictObject({
  device: z.string().max(63).optional().describe('Topics that this device or account published on'),
  reason: z.enum(['not_mapped', 'topic_not_allowed']).optional(),
  after: afterName,
  limit: limit(100, 1_000),
});
