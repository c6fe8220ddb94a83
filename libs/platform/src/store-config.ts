import { DAY, duration, parseDuration, type Millis } from '#libs/kernel';
import { z } from 'zod';

/** How long the store keeps something: a duration of at least a day, or `forever`, as milliseconds. */
const kept = z
  .string()
  .default('forever')
  .transform((text, context): Millis => {
    const ms = text === 'forever' ? Infinity : parseDuration(text);
    if (ms !== undefined && ms >= DAY) return ms;
    context.addIssue({
      code: 'custom',
      message: `expected forever, or a duration of at least one day such as 400d, found "${text}"`,
    });
    return z.NEVER;
  });

/** By tier: readings, and their roll-ups by hour and by day. Nothing is deleted unless somebody decides so. */
const storeRetention = z.strictObject({ raw: kept, hour: kept, day: kept }).prefault({});

export const storeSchema = z.discriminatedUnion('engine', [
  z.strictObject({ engine: z.literal('duckdb'), retention: storeRetention }),
  z.strictObject({
    engine: z.literal('influxdb'),
    retention: storeRetention,
    version: z.literal([1, 2]),
    url: z.url({ protocol: /^https?$/ }),
    /** Database (1.x) or bucket (2.x). */
    database: z.string().min(1).default('pantau'),
    /** Organisation; 2.x only. */
    org: z.string().min(1).optional(),
    /** Token (2.x); better given as `PANTAU_INFLUX_TOKEN`. */
    token: z.string().min(1).optional(),
    username: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    timeout: duration.default(10_000),
  }),
]);
export type StoreConfig = z.output<typeof storeSchema>;
