import { accountSchema } from '#libs/identity';
import { z } from 'zod';
import { limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const accessBody = z.strictObject({ service: z.enum(['open', 'revoked']) });

export const serviceAccountBody = accountSchema.omit({ id: true });

export const serviceAccountsQuery = z.strictObject({ after: afterName, limit: limit(100, 1_000) });
