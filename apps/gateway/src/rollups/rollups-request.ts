import { DAY } from '#libs/kernel';
import { MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import { z } from 'zod';
import { after, instantPlace } from '../http/page.js';
import { id, instant, limit, parameter } from '../http/members.js';

const MAX_ROLLUP_DAYS = 31;
const MAX_DISAGREEMENT_DAYS = 366;

const measured = z.enum(MEASURED_CODES as readonly [MeasuredParameter, ...MeasuredParameter[]]);

const spanFault = (days: number) => ({
  path: ['to'],
  message: `expected a time after from, at most ${days} days later`,
});

export const rollupsQuery = z
  .strictObject({
    device: id,
    parameter,
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe(`Not included; at most ${MAX_ROLLUP_DAYS} days after from`),
  })
  .refine(({ from, to }) => from < to && to - from <= MAX_ROLLUP_DAYS * DAY, spanFault(MAX_ROLLUP_DAYS));

export const disagreementsQuery = z
  .strictObject({
    parameter: measured.optional().describe('All by default'),
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe(`Not included; at most ${MAX_DISAGREEMENT_DAYS} days after from`),
    after: after(z.tuple([instantPlace, measured, z.string()])),
    limit: limit(100, 1_000),
  })
  .refine(
    ({ from, to }) => from < to && to - from <= MAX_DISAGREEMENT_DAYS * DAY,
    spanFault(MAX_DISAGREEMENT_DAYS),
  );
