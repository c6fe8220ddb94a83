import { siteSchema } from '#libs/identity';

export const siteBody = siteSchema.omit({ id: true });
