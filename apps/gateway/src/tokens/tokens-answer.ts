import { z } from 'zod';

export const tokenSchema = z.strictObject({
  token: z.string().describe('In the place of the password; shown this once'),
  expiresAt: z.iso.datetime(),
});
