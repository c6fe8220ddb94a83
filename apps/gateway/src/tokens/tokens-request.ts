import { DAY, HOUR, SECOND } from '#libs/kernel';
import { duration } from '#libs/kernel';
import { z } from 'zod';

const MAX_TOKEN_LIFE = 366 * DAY;

export const tokenBody = z.strictObject({
  expiresIn: duration
    .default(HOUR)
    .refine((ms) => ms >= SECOND && ms <= MAX_TOKEN_LIFE, 'expected 1s to 366d')
    .describe('How long the token is valid: 10m, 12h, 7d'),
});
