import { siteSchema } from '#libs/identity';
import { z } from 'zod';

export const sitesSchema = z.strictObject({ items: z.array(siteSchema) });
