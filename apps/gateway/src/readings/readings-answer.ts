import { z } from 'zod';

export const countSchema = z.strictObject({ count: z.int().min(0) });
