import { topicPattern } from '#libs/identity';
import { z } from 'zod';
import { limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const foreignTopicsQuery = z.strictObject({
  device: z.string().max(63).optional().describe('Topics that this device or account published on'),
  reason: z.enum(['not_mapped', 'topic_not_allowed']).optional(),
  after: afterName,
  limit: limit(100, 1_000),
});

export const previewQuery = z.strictObject({
  sender: z.string().max(63).describe('The device or account that published, as the list says it'),
  topic: z.string().max(1_000).describe('As the list says it'),
  pattern: topicPattern,
  codec: z.string().max(100).optional().describe('All that read something of the sample, without it'),
});
