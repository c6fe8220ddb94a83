import { DAY, MINUTE } from '#libs/kernel';
import { duration } from '#libs/kernel';
import { z } from 'zod';
import { json } from '../http/answer.js';
import { afterName } from '../http/page.js';
import { jsonOfAtMost, limit } from '../http/members.js';

/** A command must fit into an MQTT message that the smallest device can hold. */
const MAX_PARAMS_BYTES = 16_384;

export const commandBody = z.strictObject({
  name: z.string().min(1).max(64).describe('What the device shall do, such as reboot'),
  params: json
    .optional()
    .refine(jsonOfAtMost(MAX_PARAMS_BYTES), `expected at most ${MAX_PARAMS_BYTES} bytes of JSON`),
  expiresIn: duration
    .default(5 * MINUTE)
    .refine((ms) => ms >= 1_000 && ms <= 7 * DAY, 'expected 1s to 7d')
    .describe('Not sent after this time: 30s, 5m, 2h, 1d'),
});

export const commandsQuery = z.strictObject({ after: afterName, limit: limit(50, 1_000) });
