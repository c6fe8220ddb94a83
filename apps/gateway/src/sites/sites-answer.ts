import { siteSchema } from '#libs/identity';
import { listOf } from '../http/answer.js';

export const siteAnswer = siteSchema.meta({ id: 'Site' });

export const sitesSchema = listOf(siteAnswer);
