import { z } from 'zod';

export const pageSchema = z
  .strictObject({
    singleSignOn: z.boolean().describe('Whether `GET /api/v1/session/open-id` leads to a sign-on server'),
  })
  .meta({ id: 'Page' });
