import { z } from 'zod';
import { count, flag, instantText, listOf, parameterCode, unit } from '../http/answer.js';

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

export const readingsSchema = listOf(readingSchema);

export const countSchema = z.strictObject({ count });
