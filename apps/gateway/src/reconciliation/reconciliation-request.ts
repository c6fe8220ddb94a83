import { z } from 'zod';
import { id } from '../http/members.js';

export const noQuery = z.strictObject(
  {},
  { error: 'takes no parameter: one device is checked by POST /api/v1/reconciliation/check' },
);

export const checkBody = z.strictObject({ device: id.optional().describe('One device alone') });
