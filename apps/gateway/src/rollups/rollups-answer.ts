import { z } from 'zod';
import { count, flag, instantText, listOf, parameterCode, unit } from '../http/answer.js';

const mean = z.number().nullable();
const share = z.number().min(0).max(1);

const neighboursSchema = z
  .strictObject({
    flag,
    failed: z.array(z.string()),
    count: count.describe('How many were asked'),
    median: z.number().nullable().describe('Of their means'),
  })
  .meta({ id: 'NeighbourOpinion' });

const hourSchema = z
  .strictObject({
    hour: instantText,
    expected: count,
    received: count,
    valid: count,
    unusual: count,
    suspect: count,
    failed: count,
    mean,
    min: mean,
    max: mean,
    covered: share.describe('Share of the hour for which there is a value'),
    isValid: z.boolean(),
    unusualShare: share.nullable(),
    withoutUnusual: z.strictObject({ mean, covered: share, isValid: z.boolean() }),
    neighbours: neighboursSchema.optional(),
  })
  .meta({ id: 'HourlyRollup' });

export const rollupsSchema = z.strictObject({ unit, items: z.array(hourSchema) });

export const disagreementSchema = z
  .strictObject({
    site: z.string().optional(),
    device: z.string(),
    parameter: parameterCode,
    hour: instantText,
    mean: z.number(),
    unit,
    neighbours: neighboursSchema,
  })
  .meta({ id: 'Disagreement' });

export const disagreementsSchema = listOf(disagreementSchema);
