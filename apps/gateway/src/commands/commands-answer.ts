import { z } from 'zod';
import { instantText, json, listOf } from '../http/answer.js';

const state = z
  .enum(['queued', 'sent', 'delivered', 'done', 'failed', 'expired'])
  .meta({ id: 'CommandState', description: 'done, failed and expired are final' });

export const commandOrderedSchema = z
  .strictObject({
    id: z.string(),
    device: z.string(),
    state,
    at: instantText,
    expiresAt: instantText,
  })
  .meta({ id: 'CommandOrdered' });

export const commandSchema = z
  .strictObject({
    id: z.string(),
    device: z.string(),
    command: z.strictObject({
      name: z.string(),
      params: json,
      expiresAt: instantText,
      orderedBy: z.string().describe('Who ordered it'),
    }),
    state,
    history: z.array(z.strictObject({ state, at: instantText })),
    detail: z.string().optional().describe('What the device said'),
  })
  .meta({ id: 'Command' });

export const commandsSchema = listOf(commandSchema);
