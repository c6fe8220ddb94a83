import { z } from 'zod';
import { json } from '../http/answer.js';
import { jsonOfAtMost } from '../http/members.js';

const MAX_CONFIGURATION_BYTES = 65_536;

export const configurationBody = z
  .record(z.string(), json)
  .refine(jsonOfAtMost(MAX_CONFIGURATION_BYTES), `expected at most ${MAX_CONFIGURATION_BYTES} bytes of JSON`);
