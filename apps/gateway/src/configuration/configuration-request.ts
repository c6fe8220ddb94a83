import { z } from 'zod';
import { jsonOfAtMost } from '../http/members.js';

const MAX_CONFIGURATION_BYTES = 65_536;

export const configurationBody = z
  .record(z.string(), z.json())
  .refine(jsonOfAtMost(MAX_CONFIGURATION_BYTES), `expected at most ${MAX_CONFIGURATION_BYTES} bytes of JSON`);
