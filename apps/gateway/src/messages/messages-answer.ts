import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { count, flag, instantText, journalRef, listOf, parameterCode } from '../http/answer.js';
import { payloadMembers } from '../http/payload.js';

/** What became of a message; the first that applies. */
export const FATES = [
  'readings',
  'signal',
  'commandResult',
  'refused',
  'ignored',
  'repeated',
  'waiting',
  'unknown',
] as const;

export const sentMessageSchema = z
  .strictObject({
    stream: z
      .enum(['uplink', 'rejected'])
      .describe('`rejected`: it was refused at the door, so that this entry is all there is of it'),
    ...journalRef.shape,
    receivedAt: instantText,
    topic: z.string().optional().describe('Empty for a message that came over HTTP'),
    kind: z.string().optional().describe('`foreign`: of another maker'),
    qos: z.literal([0, 1, 2]).optional(),
    payloadBytes: count.optional().describe('Length of the original'),
    ...payloadMembers,
    payloadBase64: payloadMembers.payloadBase64.describe('The beginning of the original bytes'),
    became: z
      .enum(FATES)
      .describe(
        '`waiting`: not decoded yet; `unknown`: retention has taken what came of it, or it stands too far away in the journal to be looked for',
      ),
    values: count.describe('Values that were read from it'),
    readings: z
      .array(
        z.strictObject({
          device: z.string(),
          parameter: parameterCode,
          ts: instantText,
          value: z.number(),
          flag,
          entry: journalRef.describe('Of the stream `readings`'),
        }),
      )
      .describe('The first of the values'),
    signals: z.array(
      z.strictObject({
        device: z.string(),
        type: z.enum(['heartbeat', 'presence', 'status', 'event']),
        entry: journalRef.describe('Of the stream `signals`'),
      }),
    ),
    command: z.string().optional().describe('Id of the command that it answers'),
    refusals: z.array(
      z.strictObject({
        reason: z.enum(REJECTION_REASONS),
        detail: z.string().describe('What was found and what was expected'),
        count: count.describe('How many refusals it stands for'),
        entry: journalRef.describe('Of the stream `rejected`'),
      }),
    ),
  })
  .meta({ id: 'SentMessage' });

export const sentMessagesSchema = listOf(sentMessageSchema);
