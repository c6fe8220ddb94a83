import { z } from 'zod';

export const claimSchema = z
  .strictObject({
    id: z.string(),
    site: z.string(),
    username: z.string(),
    clientId: z.string(),
    password: z.string().describe('Shown this once'),
    topic: z.string().describe('Where it publishes its readings'),
  })
  .meta({ id: 'Claim' });
