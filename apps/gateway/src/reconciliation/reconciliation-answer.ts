import { REJECTION_REASONS } from '#libs/telemetry';
import { z } from 'zod';
import { count, instantText, journalRef } from '../http/answer.js';

const byFlag = z.strictObject({ 1: count, 2: count, 3: count, 4: count, 9: count });
/** Where Pantau has a fault it may be negative. */
const balance = z.int();
const day = z.string().describe('A calendar day of the regency');

export const messageAccountSchema = z
  .strictObject({
    messages: z.strictObject({
      received: count.describe('Into the journal since its beginning'),
      becameReadings: count,
      becameSignals: count,
      becameCommandResults: count,
      refused: count,
      ignored: count.describe('Understood, and holding nothing that Pantau keeps'),
      repeated: count,
      waiting: count.describe('Not decoded yet'),
      lostToRetention: count.describe('Dropped by retention before they were decoded'),
      beforeCounting: count,
      unaccounted: balance.describe('Always 0, or Pantau has a fault'),
    }),
    values: z.strictObject({
      decoded: count,
      amended: count,
      distinct: count.describe('One for each device, parameter and instant'),
      replaced: count,
      byFlag,
      written: count,
      refusedByStore: count,
      waiting: balance,
    }),
    refusals: z.partialRecord(z.enum(REJECTION_REASONS), count),
    takenByRetention: z.strictObject({ messages: count, observations: count }),
    balanced: z.boolean(),
  })
  .meta({ id: 'Account' });

const dayFiguresSchema = z.strictObject({
  messages: messageAccountSchema.shape.messages.omit({ lostToRetention: true, beforeCounting: true }).extend({
    received: count.describe('Arrived on the day'),
  }),
  values: messageAccountSchema.shape.values
    .pick({ decoded: true, amended: true, written: true, refusedByStore: true })
    .extend({
      unwritten: balance.describe('Not brought to the store yet, or set aside on the way'),
    }),
  refusals: messageAccountSchema.shape.refusals,
});

export const accountOfDaysSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          day,
          figures: dayFiguresSchema.nullable().describe('null: not all of the day was counted by day'),
          appended: count
            .nullable()
            .describe(
              'Messages that the journal took on the day, by their places in it: beside midnight another one than that of arrival, perhaps. null: retention took some of them',
            ),
          notCounted: balance
            .nullable()
            .describe(
              'Of these: decoded, and in no place of the account. Only what could not be read, or Pantau has a fault',
            ),
          balanced: z
            .boolean()
            .nullable()
            .describe(
              'Whether the day adds up, by itself and against the journal; null where it is not counted',
            ),
        }),
      )
      .describe('Each day, the oldest first'),
  })
  .meta({ id: 'AccountOfDays' });

const storeDifference = z.strictObject({
  part: z.literal('store'),
  device: z.string(),
  day,
  row: z.string(),
  journal: z.string().nullable(),
  store: z.string().nullable(),
  digests: z.strictObject({ journal: z.string(), store: z.string() }),
});
const entryDifference = z.strictObject({
  part: z.literal('entries'),
  device: z.string(),
  day,
  stream: z.enum(['readings', 'signals']).nullable(),
  shard: count.nullable(),
  offset: count.nullable(),
  uplink: journalRef,
});

const fullCheckSchema = z
  .strictObject({
    device: z.string().optional(),
    messages: z.strictObject({
      kept: count,
      becameReadings: count,
      becameSignals: count,
      becameCommandResults: count,
      refused: count,
      ignored: count,
      repeated: count,
      outcomeTakenByRetention: count,
      unaccounted: balance,
    }),
    values: z.strictObject({
      decoded: count,
      distinct: count,
      replaced: balance,
      byFlag,
      stored: count,
      refusedByStore: count,
      expired: count,
      missing: balance.describe('In the journal, and neither in the store nor refused by it'),
      different: count.describe('In the store with another value, flag, failed test or doubt'),
      unsaid: count.describe('In the store alone: nothing that devices sent says so'),
      notVerifiable: count,
    }),
    bytes: z.strictObject({
      different: count,
      notVerifiable: count,
      decoders: z.array(z.strictObject({ decoder: z.string(), then: count, now: count })),
      withFlags: z.boolean().nullable().describe('null: no bytes were read'),
    }),
    differences: z.array(z.union([storeDifference, entryDifference])),
    waiting: z.strictObject({ messages: count, observations: count }),
    takenByRetention: z.strictObject({ messages: count, observations: count }),
    unreadable: count,
    balanced: z.boolean(),
  })
  .meta({ id: 'FullCheck' });

export const checkStatusSchema = z
  .strictObject({
    state: z.enum(['none', 'running', 'done', 'failed', 'cancelled']),
    device: z.string().optional(),
    startedAt: instantText.optional(),
    finishedAt: instantText.optional(),
    progress: z.strictObject({ done: count, total: count }).optional().describe('In entries'),
    problem: z.string().optional().describe('With failed'),
    result: fullCheckSchema.optional().describe('With done'),
  })
  .meta({ id: 'CheckStatus' });
