import { periodNamed } from '#libs/indicators';
import { z } from 'zod';
import { day, id, limit } from '../http/members.js';
import { after } from '../http/page.js';

const name = z.string().max(100);
const period = name.refine((text) => periodNamed(text) !== undefined);

export const indicatorsQuery = z
  .strictObject({
    indicator: name.optional(),
    device: id.optional(),
    site: id.optional(),
    from: day.optional().describe('First day (Asia/Jakarta) on which a period begins, included'),
    to: day.optional().describe('Last day, included'),
    after: after(z.tuple([period, name, name])),
    limit: limit(31, 1_000),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    message: 'expected from or a later day',
  });
