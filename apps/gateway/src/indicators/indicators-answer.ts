import {
  PERIOD_UNITS,
  SUBJECT_KINDS,
  type IndicatorDefinition,
  type IndicatorRecord,
  asWritten,
} from '#libs/indicators';
import type { Recomputation, StoreCheck } from '#libs/evidence';
import { STREAM_NAMES } from '#libs/streams';
import { z } from 'zod';
import { count, json, jsonObject, journalRef, text, type Answer } from '../http/answer.js';

const subject = z
  .union([
    z.strictObject({ site: z.string(), device: z.string() }),
    z.strictObject({ site: z.string() }),
    z.strictObject({ district: z.string() }),
    z.strictObject({ regency: z.string() }),
  ])
  .meta({ id: 'Subject' });

const share = z.number().min(0).max(1);

export const figureSchema = z
  .strictObject({
    indicator: z.string(),
    version: z.int().min(1),
    subject,
    period: z.strictObject({
      date: z.string().describe('Its name: 2026-01-31T13, 2026-01-31, 2026-01, 2026-Q1 or 2026'),
      from: z.string(),
      to: z.string(),
      timeZone: z.string(),
    }),
    value: z.number().nullable().describe('null: not enough data'),
    unit: z.string(),
    dataCapture: z.record(z.string(), z.number()),
    withoutUnusual: z
      .strictObject({
        value: z.number().nullable(),
        validHours: z.number().min(0),
        unusualShare: share.nullable(),
      })
      .optional()
      .describe('As it would be without the unusual values'),
    detail: jsonObject,
    settings: z
      .array(
        z.strictObject({
          name: z.string(),
          from: z.string().nullable().describe('ISO 8601; null: from the beginning'),
          version: z.string().optional(),
          digest: z.string(),
        }),
      )
      .optional()
      .describe('Those of its time that it was computed with'),
    provenance: z.strictObject({
      stream: z.enum(STREAM_NAMES as readonly [string, ...string[]]),
      inputs: count,
      entries: z.array(
        z.strictObject({
          shard: count,
          offsets: z.array(z.tuple([count, count])).describe('Inclusive ranges'),
        }),
      ),
      digest: z.string(),
    }),
  })
  .meta({ id: 'Figure', description: 'The value of an indicator with what it follows from' });

export const definitionSchema = z
  .strictObject({
    key: z.string(),
    version: z.int().min(1),
    name: text,
    formula: text,
    unit: z.string(),
    subject: z.enum(SUBJECT_KINDS),
    deviceKind: z.enum(['air', 'camera']).optional(),
    period: z.enum(PERIOD_UNITS),
    function: z.string(),
    arguments: json,
  })
  .meta({ id: 'IndicatorDefinition' });

export const figuresSchema = z.strictObject({
  definitions: z.array(definitionSchema),
  items: z.array(figureSchema),
  notComputed: z
    .array(
      z.strictObject({ indicator: z.string(), subject: z.string(), period: z.string(), reason: z.string() }),
    )
    .optional()
    .describe('Figures of this page that cannot be computed'),
  truncated: z.literal(true).optional(),
  next: z.string().optional().describe('`after` of the query that goes on'),
});

const differenceSchema = z.strictObject({
  part: z.enum(['entries', 'state', 'store', 'settings']),
  stream: z.string(),
  shard: count,
  offset: count.nullable().describe('null: the stream has no such entry'),
  uplink: journalRef.optional(),
  row: z.string().optional(),
  journal: z.string().nullable().optional(),
  store: z.string().nullable().optional(),
});

const check = {
  result: z.enum(['equal', 'different', 'not_verifiable']),
  difference: differenceSchema.optional(),
  missing: z
    .strictObject({ stream: z.string(), shard: count, offset: count, removedOn: z.string().optional() })
    .optional(),
  decoder: z.strictObject({ decoder: z.string(), then: count, now: count }).optional(),
};

export const recomputationSchema = z
  .strictObject({
    ...check,
    identical: z.boolean(),
    store: z.strictObject({
      ...check,
      journal: z.string().optional().describe('SHA-256 over the rows by the journal'),
      store: z.string().optional().describe('SHA-256 over the rows by the store'),
      reason: z.string().optional().describe('Why it was not compared'),
    }),
    record: figureSchema,
    recomputed: figureSchema.optional(),
  })
  .meta({ id: 'Recomputation' });

/** A record holds plain data, as every figure is printed and digested as JSON. */
export function figureOf(record: IndicatorRecord): Answer<typeof figureSchema> {
  return record as Answer<typeof figureSchema>;
}

export function definitionOf(definition: IndicatorDefinition): Answer<typeof definitionSchema> {
  return asWritten(definition) as Answer<typeof definitionSchema>;
}

export function recomputationOf({
  result,
  record,
  recomputed,
  ...rest
}: Recomputation & { readonly store: StoreCheck }): Answer<typeof recomputationSchema> {
  const again = recomputed === undefined ? {} : { recomputed: figureOf(recomputed) };
  return { result, identical: result === 'equal', ...rest, record: figureOf(record), ...again };
}
