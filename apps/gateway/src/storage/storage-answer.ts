import { STREAM_NAMES } from '#libs/streams';
import { z } from 'zod';
import { count, instantText } from '../http/answer.js';

const ms = z.number().min(0);
const keptFor = ms.nullable().describe('Milliseconds; null: for ever');

export const storageSchema = z
  .strictObject({
    disk: z.strictObject({
      freeBytes: count.nullable().describe('null: nobody can tell'),
      minFreeBytes: count.describe('With less than this, devices get no acknowledgement and keep their data'),
      accepting: z.boolean(),
    }),
    streams: z
      .array(
        z.strictObject({
          stream: z.enum(STREAM_NAMES),
          entries: count,
          bytes: count,
          oldest: instantText.optional().describe('When the oldest entry that is kept was appended'),
          maxAgeMs: keptFor,
          maxBytes: count.nullable().describe('null: any number'),
          unread: z
            .enum(['wait', 'drop'])
            .describe('What a stage has not read yet is kept beyond these limits (`wait`), or not (`drop`)'),
        }),
      )
      .describe('Streams of the journal, the largest first'),
    store: z
      .strictObject({ rawMs: keptFor, hourMs: keptFor, dayMs: keptFor })
      .describe('How long the time-series store keeps readings, and their roll-ups by hour and by day'),
  })
  .meta({ id: 'Storage' });
