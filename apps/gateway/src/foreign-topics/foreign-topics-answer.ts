import { z } from 'zod';
import { count, instantText, listOf } from '../http/answer.js';

export const foreignTopicSchema = z
  .strictObject({
    device: z.string().describe('The device or account that published'),
    site: z.string().optional(),
    reason: z.enum(['not_mapped', 'topic_not_allowed']),
    detail: z.string(),
    topic: z.string().optional().describe('Absent for topics that are counted together'),
    unknownName: z
      .string()
      .optional()
      .describe("The name that a mapping read in the topic, where it is no registered device's"),
    count,
    firstAt: instantText,
    lastAt: instantText,
    sampleText: z.string(),
    sampleBase64: z.base64(),
    sampleBytes: count,
    retain: z.boolean(),
    reported: count.describe('Of `count`: what the stream `rejected` has of it'),
    remedy: z.string(),
  })
  .meta({ id: 'ForeignTopic' });

export const foreignTopicsSchema = listOf(foreignTopicSchema);
