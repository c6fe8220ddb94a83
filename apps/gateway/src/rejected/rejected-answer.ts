import { STREAM_NAMES, type StreamName } from '#libs/streams';
import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { count, instantText, journalRef, listMembers } from '../http/answer.js';

const reason = z.enum(REJECTION_REASONS).meta({ id: 'RejectionReason' });

export const rejectionSchema = z
  .strictObject({
    shard: count,
    offset: count,
    reason,
    detail: z.string().describe('What was found and what was expected'),
    receivedAt: instantText,
    site: z.string().optional(),
    device: z.string().optional(),
    topic: z.string().optional(),
    payloadText: z.string().optional().describe('The beginning of the original bytes'),
    payloadBase64: z.base64().optional().describe('The original bytes, or their beginning'),
    payloadBytes: count.optional().describe('Length of the original'),
    count: count.describe('How many refusals it stands for'),
    source: z
      .strictObject({
        stream: z.enum(STREAM_NAMES as readonly [StreamName, ...StreamName[]]),
        ...journalRef.shape,
      })
      .optional()
      .describe('The entry it was found in'),
  })
  .meta({ id: 'Rejection' });

export const rejectedSchema = z.strictObject({
  counts: z
    .array(
      z.strictObject({
        reason,
        device: z.string().optional(),
        count,
        firstAt: instantText
          .optional()
          .describe('Arrival of the first; absent where some were counted by a version that did not note it'),
        lastAt: instantText,
      }),
    )
    .describe(
      'Of all time, for the reason and the device that are asked for; with the first page, empty with the others',
    ),
  ...listMembers(rejectionSchema),
  unreadable: z
    .array(z.strictObject({ shard: count, offset: count, detail: z.string() }))
    .optional()
    .describe('Entries on the way that cannot be read'),
});
