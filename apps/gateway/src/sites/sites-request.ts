import { siteSchema } from '#libs/identity';
import { z } from 'zod';
import { limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const siteBody = siteSchema.omit({ id: true });

export const sitesQuery = z.strictObject({
  district: z.string().max(100).optional().describe('Kecamatan'),
  after: afterName,
  limit: limit(1_000, 10_000),
});
