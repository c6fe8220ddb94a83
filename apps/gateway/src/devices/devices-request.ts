import { deviceSchema } from '#libs/identity';
import { duration } from '#libs/kernel';
import { z } from 'zod';
import { id, instant, limit } from '../http/members.js';
import { afterName } from '../http/page.js';

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

export const devicesQuery = z.strictObject({
  site: id.optional(),
  kind: deviceSchema.shape.kind.optional(),
  after: afterName,
  limit: limit(1_000, 10_000),
});

export const clockQuery = z.strictObject({ after: afterName, limit: limit(31, 1_000) });
