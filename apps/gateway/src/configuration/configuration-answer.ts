import { z } from 'zod';
import { instantText, jsonObject } from '../http/answer.js';

export const configurationSchema = z
  .strictObject({ at: instantText, configuration: jsonObject })
  .meta({ id: 'Configuration' });

export const configurationChangeSchema = z
  .strictObject({
    device: z.string(),
    at: instantText,
    configuration: jsonObject.nullable().describe('null: taken away'),
  })
  .meta({ id: 'ConfigurationChange' });
