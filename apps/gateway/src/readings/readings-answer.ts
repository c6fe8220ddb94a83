import { z } from 'zod';
import { count, flag, instantText, journalRef, listOf, parameterCode, unit } from '../http/answer.js';
import { payloadMembers } from '../http/payload.js';

export const readingSchema = z
  .strictObject({
    site: z.string(),
    device: z.string(),
    parameter: parameterCode,
    ts: instantText.describe('Device time'),
    value: z.number(),
    unit,
    flag,
    failed: z.array(z.string()).optional().describe('Names of the quality tests that it did not pass'),
    doubt: z.string().optional().describe('Why the device itself doubts it, in the words of its maker'),
    receivedAt: instantText,
  })
  .meta({ id: 'Reading' });

/** A reading with the message that it was read from. */
export const explainedReadingSchema = z
  .strictObject({
    ...readingSchema.shape,
    entry: journalRef.optional().describe('Of the stream `readings`, the entry that said it last'),
    message: z
      .strictObject({
        ...journalRef.shape,
        sender: z.string().describe('Who published it: the device, or one that speaks for it'),
        topic: z.string().describe('Empty for a message that came over HTTP'),
        kind: z.string().describe('`foreign`: of another maker'),
        qos: z.literal([0, 1, 2]),
        receivedAt: instantText,
        codec: z.string().optional().describe('What read it; `pantau` is its own form'),
        payloadBytes: count,
        ...payloadMembers,
      })
      .optional()
      .describe('The message as it arrived, with its place in the stream `uplink`'),
    missing: z.string().optional().describe('Why there is no message: retention has taken it, for instance'),
  })
  .meta({ id: 'ExplainedReading' });

export const readingsSchema = listOf(readingSchema);

const extremes = z
  .strictObject({ count, min: z.number(), max: z.number(), mean: z.number() })
  .meta({ id: 'Extremes', description: 'Of readings together' });

export const envelopeSchema = z.strictObject({
  unit,
  bucketMs: count.describe('Length of a bucket, milliseconds'),
  items: z.array(
    z
      .strictObject({
        ts: instantText.describe(
          'Where the bucket begins: a multiple of its length, so the first may begin before `from`',
        ),
        trusted: extremes.optional().describe('Readings that passed or were not evaluated'),
        suspect: extremes.optional().describe('Readings of flag 3'),
        failed: extremes.optional().describe('Readings of flag 4'),
      })
      .meta({ id: 'EnvelopeBucket' }),
  ),
});

export const countSchema = z.strictObject({ count });
