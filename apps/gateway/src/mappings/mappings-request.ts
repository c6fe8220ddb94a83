import { z } from 'zod';
import { limit } from '../http/members.js';
import { afterName } from '../http/page.js';

export const mappingsQuery = z.strictObject({ after: afterName, limit: limit(100, 1_000) });
