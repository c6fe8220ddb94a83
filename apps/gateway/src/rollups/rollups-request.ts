import { DAY } from '#libs/kernel';
import { MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import { z } from 'zod';
import { after } from '../http/page.js';
import { forwards, id, instant, limit, parameter } from '../http/members.js';

const MAX_ROLLUP_DAYS = 31;
const measured = z.enum(MEASURED_CODES as readonly [MeasuredParameter, ...MeasuredParameter[]]);

export const rollupsQuery = z
  .strictObject({
    device: id,
    parameter,
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe('Not included'),
  })
  .refine(({ from, to }) => from < to && to - from <= MAX_ROLLUP_DAYS * DAY, {
    path: ['to'],
    message: `expected a time after from, at most ${MAX_ROLLUP_DAYS} days later`,
  });

export const disagreementsQuery = z
  .strictObject({
    parameter: measured.optional().describe('All by default'),
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe('Not included'),
    after: after(z.tuple([z.number(), measured, z.string()])),
    limit: limit(100, 1_000),
  })
  .refine(forwards[0], forwards[1]);
