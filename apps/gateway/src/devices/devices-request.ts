import { deviceSchema } from '#libs/identity';
import { DAY, duration } from '#libs/kernel';
import { z } from 'zod';
import { forwards, id, instant, limit } from '../http/members.js';
import { afterName } from '../http/page.js';
import { PRESENCE_STATES } from './devices-answer.js';

export const deviceBody = deviceSchema.omit({ id: true, intervalMs: true, maxAgeMs: true }).extend({
  interval: duration.describe('How often it promises to report: 30s, 5m, 1h'),
  maxAge: duration
    .optional()
    .describe(
      'How long before their arrival its readings may have been measured, where that differs from ingest.maxAge',
    ),
  intervalFrom: instant
    .optional()
    .describe(
      'Since when the interval was true already: figures of the past are computed with it. Now by default',
    ),
});

export const devicesQuery = z
  .strictObject({
    site: id.optional(),
    kind: deviceSchema.shape.kind.optional(),
    state: z.enum(PRESENCE_STATES).optional().describe('Of its connection'),
    service: z.enum(['open', 'revoked']).optional().describe('`revoked`: those that are out of service'),
    from: instant.optional().describe('Arrival of its newest message, included'),
    to: instant.optional().describe('Arrival of its newest message, not included'),
    after: afterName,
    limit: limit(1_000, 10_000),
  })
  .refine(forwards[0], forwards[1]);

export const clockQuery = z.strictObject({ after: afterName, limit: limit(31, 1_000) });

const MAX_TIMELINE_DAYS = 31;

export const timelineQuery = z
  .strictObject({ from: instant.describe('Included'), to: instant.describe('Not included') })
  .refine(({ from, to }) => from < to && to - from <= MAX_TIMELINE_DAYS * DAY, {
    path: ['to'],
    message: `expected a time after from, at most ${MAX_TIMELINE_DAYS} days later`,
  });
