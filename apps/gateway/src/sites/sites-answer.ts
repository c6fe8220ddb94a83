import { siteSchema } from '#libs/identity';
import { z } from 'zod';

export const siteAnswer = siteSchema.meta({ id: 'Site' });

export const sitesSchema = z.strictObject({ items: z.array(siteAnswer) });
