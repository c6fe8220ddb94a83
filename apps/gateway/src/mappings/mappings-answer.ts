import { z } from 'zod';
import { listOf } from '../http/answer.js';

const members = {
  pattern: z.string(),
  codec: z.string(),
  device: z.string().optional(),
  aliases: z.record(z.string(), z.string()).optional(),
  utcOffset: z.string().optional(),
};

export const mappingSchema = z.strictObject({ id: z.string(), ...members }).meta({ id: 'Mapping' });

export const mappingsSchema = listOf(
  z
    .strictObject({
      id: z
        .string()
        .optional()
        .describe('Of one that was made here; what the configuration file says has none'),
      origin: z
        .enum(['file', 'stored'])
        .describe('Who says it: pantau.yaml, where it is changed, or this API. The file is tried first'),
      ...members,
    })
    .meta({ id: 'ListedMapping' }),
);
