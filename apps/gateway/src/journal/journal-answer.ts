import { z } from 'zod';
import { count, instantText, json } from '../http/answer.js';
import { payloadMembers } from '../http/payload.js';
import { shownStream } from './journal-request.js';

export const entrySchema = z
  .strictObject({
    stream: shownStream,
    shard: count,
    offset: count,
    key: z.string().describe('Usually the device'),
    appendedAt: instantText,
    data: json.describe('As it is stored: instants in milliseconds since 1970 (UTC), bytes in base64'),
    payloadText: payloadMembers.payloadText,
  })
  .meta({ id: 'JournalEntry' });
