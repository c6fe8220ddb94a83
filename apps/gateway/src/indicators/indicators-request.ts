import { readCursor } from '#libs/evidence';
import { z } from 'zod';
import { day, id, limit } from '../http/members.js';

export const indicatorsQuery = z
  .strictObject({
    indicator: z.string().max(100).optional(),
    device: id.optional(),
    site: id.optional(),
    from: day.optional().describe('First day (Asia/Jakarta) on which a period begins, included'),
    to: day.optional().describe('Last day, included'),
    after: z
      .string()
      .max(200)
      .transform((text, context) => {
        const cursor = readCursor(text);
        if (cursor === undefined) context.addIssue('expected what an answer gave as next');
        return cursor ?? z.NEVER;
      })
      .optional()
      .describe('The list goes on after this: `next` of the answer before'),
    limit: limit(31, 1_000),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    message: 'expected from or a later day',
  });
