import { deviceSchema, siteSchema } from '#libs/identity';
import { duration } from '#libs/kernel';
import { z } from 'zod';

/** `sites.yaml` */
export const sitesFileSchema = z.strictObject({
  sites: z.array(siteSchema).default([]),
  devices: z
    .array(
      deviceSchema
        .omit({ intervalMs: true, maxAgeMs: true })
        .extend({ interval: duration, maxAge: duration.optional() }),
    )
    .default([]),
});

export type Installation = z.output<typeof sitesFileSchema>;
