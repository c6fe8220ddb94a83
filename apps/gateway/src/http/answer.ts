import { ERROR_CODES } from '#libs/kernel';
import { MEASURED_CODES, PARAMETER_CODES, type MeasuredParameter, type Parameter } from '#libs/telemetry';
import { z } from 'zod';

/** What a handler returns for a schema: what is only read need not be a list that may be changed. */
export type Answer<S extends z.ZodType> = DeepReadonly<z.output<S>>;
type DeepReadonly<T> = [Json] extends [T]
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Any JSON, such as what somebody else called his own. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export const json: z.ZodType<Json, Json> = z
  .lazy(() =>
    z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
  )
  .meta({ id: 'Json' });
export const jsonObject = z.record(z.string(), json);

export const instantText = z.iso.datetime();
export const count = z.int().min(0);
export const flag = z
  .literal([1, 2, 3, 4, 9])
  .meta({ id: 'QualityFlag', description: 'QARTOD: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing' });
export const parameterCode = z
  .enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]])
  .meta({ id: 'Parameter' });
export const measuredCode = z
  .enum(MEASURED_CODES as readonly [MeasuredParameter, ...MeasuredParameter[]])
  .meta({ id: 'MeasuredParameter' });
export const unit = z.enum(['ug/m3', 'degC', '%']).describe('Of every value of that parameter');

/** Indonesian and English. */
export const text = z
  .strictObject({ id: z.string(), en: z.string() })
  .meta({ id: 'Text', description: 'Indonesian and English' });

/** Where an entry stands in the journal. */
export const journalRef = z
  .strictObject({ shard: count, offset: count })
  .meta({ id: 'JournalRef', description: 'Shard and offset within a stream of the journal' });

/** A list, and whether there is more of it. */
export const listOf = <T extends z.ZodType>(item: T) => z.strictObject(listMembers(item));
export const listMembers = <T extends z.ZodType>(item: T) => ({
  items: z.array(item),
  truncated: z.literal(true).optional().describe('There is more'),
  next: z
    .string()
    .optional()
    .describe('`after` of the query that goes on; a page may end before `limit`, so go on while it is there'),
});

const problemMembers = {
  type: z.string(),
  title: z.string().describe('Indonesian / English'),
  status: z.int().min(400).max(599),
  detail: z.string().optional(),
  code: z.enum(ERROR_CODES).optional().describe('Stable; docs/error-codes.md has cause and remedy of each'),
  errors: z
    .array(z.strictObject({ field: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong with which member'),
  instance: z.string().optional().describe('The path that was asked'),
};
/** Problem details (RFC 9457). */
export const problem = z.strictObject(problemMembers).meta({ id: 'Problem', description: 'RFC 9457' });
/** A problem that says more. */
export const problemWith = <T extends z.core.$ZodLooseShape>(more: T) =>
  z.strictObject({ ...problemMembers, ...more });
