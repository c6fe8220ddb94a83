import { HEARTBEAT_STATES, REJECTION_REASONS, STATUS_STATES, UNITS } from '#libs/telemetry';
import { z } from 'zod';
import { count, instantText, listOf, measuredCode } from '../http/answer.js';

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
    readBy: z
      .string()
      .optional()
      .describe('The pattern of the mapping that reads it now; what was counted here is not read again'),
  })
  .meta({ id: 'ForeignTopic' });

export const foreignTopicsSchema = listOf(foreignTopicSchema);

const head = {
  ts: instantText.optional().describe('By the device; arrival counts without it'),
  source: z.string().optional().describe('What the message calls the device: an alias maps it'),
};

const previewedSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('telemetry'),
      ...head,
      values: z.array(
        z.strictObject({
          parameter: measuredCode,
          value: z.number(),
          unit: z.enum(UNITS).describe('As the device states it; stored in the unit of the parameter'),
          sensor: z.string().optional(),
        }),
      ),
    }),
    z.strictObject({ kind: z.literal('heartbeat'), ...head, state: z.enum(HEARTBEAT_STATES) }),
    z.strictObject({ kind: z.literal('status'), ...head, state: z.enum(STATUS_STATES) }),
    z.strictObject({ kind: z.literal('event'), ...head, name: z.string() }),
  ])
  .meta({ id: 'PreviewedOutput' });

/** What codecs make of the sample of a topic; nothing is kept of it. */
export const previewSchema = z.strictObject({
  sampleBytes: count,
  isWhole: z.boolean().describe('Whether all of the message is kept, or its beginning'),
  codecs: z.array(z.string()).describe('Every codec that there is'),
  readings: z.array(
    z
      .strictObject({
        codec: z.string(),
        outputs: z.array(previewedSchema),
        refusals: z.array(z.strictObject({ reason: z.enum(REJECTION_REASONS), detail: z.string() })),
        unread: z.array(z.string()).describe('Members that hold numbers and are not read'),
        ignored: z.string().optional().describe('Why it was understood and holds nothing to keep'),
      })
      .meta({ id: 'CodecPreview' }),
  ),
});
