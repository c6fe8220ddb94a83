import { accountSchema } from '#libs/identity';
import { z } from 'zod';
import { instantText, listOf } from '../http/answer.js';

const access = {
  service: z.enum(['open', 'revoked']).describe('`revoked`: shut out'),
  passwordAt: instantText.optional().describe('When its password was made; absent where it has none'),
};

export const deviceAccessSchema = z
  .strictObject({
    ...access,
    since: instantText.optional().describe('Since when it is out of service: it owes nothing then'),
  })
  .meta({ id: 'DeviceAccess' });

export const issuedPasswordSchema = z.strictObject({
  password: z.string().describe('Shown this once; the one before it and every token have ended'),
});

export const serviceAccountSchema = accountSchema.meta({ id: 'ServiceAccount' });

export const serviceAccountsSchema = listOf(
  z.strictObject({ ...accountSchema.shape, ...access }).meta({ id: 'ServiceAccountNow' }),
);
