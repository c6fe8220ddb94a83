import { REJECTION_REASONS, TOPIC_KINDS } from '#libs/telemetry';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { count, instantText, measuredCode, problem, problemWith, unit } from '../http/answer.js';
import { openApiSchema } from '../http/openapi.js';

const taken = z.strictObject({ device: z.string(), receivedAt: instantText }).meta({ id: 'UplinkTaken' });

const csvReport = {
  device: z.string(),
  lines: count,
  accepted: count.describe('Lines of which a value is taken; of a dry run, would be'),
  refused: count,
  read: z
    .strictObject({
      time: z.string().describe('How times were read'),
      decimal: z.string().optional(),
      from: instantText.nullable(),
      to: instantText.nullable(),
      parameters: z.array(
        z.strictObject({ parameter: measuredCode, unit, values: count, min: z.number(), max: z.number() }),
      ),
    })
    .describe('How the file was read, and what came out of it'),
  problems: z.array(
    z.strictObject({
      line: count,
      column: z.string().optional(),
      reason: z.enum(REJECTION_REASONS),
      detail: z.string(),
      remedy: z.string().optional(),
    }),
  ),
  problemCount: count,
  wouldStore: z
    .array(
      z.strictObject({ line: count, ts: instantText, values: z.partialRecord(measuredCode, z.number()) }),
    )
    .optional(),
};
const csvTaken = z.strictObject({ receivedAt: instantText, ...csvReport }).meta({ id: 'CsvTaken' });
const csvJudged = z.strictObject({ dryRun: z.literal(true), ...csvReport }).meta({ id: 'CsvJudged' });
const csvRefused = z.union([problem, problemWith(csvReport).meta({ id: 'CsvRefused' })]);

/** These routes are Fastify's own, so Nest does not describe them. */
export function describeUplinkRoutes(document: OpenAPIObject): OpenAPIObject {
  const device = { name: 'device', in: 'path' as const, required: true, schema: { type: 'string' as const } };
  const query = (name: string, description: string, schema: object = { type: 'string' }) => ({
    name,
    in: 'query' as const,
    required: false,
    description,
    schema,
  });
  const answer = (schema: z.ZodType, description: string, type = 'application/json') => ({
    description,
    content: { [type]: { schema: openApiSchema(schema, 'output') } },
  });
  const common = { tags: ['Perangkat / Devices'], security: [{ basic: [] }, { bearer: [] }] };
  const durable = 'Tersimpan di jurnal / durable in the journal';
  document.components = {
    ...document.components,
    securitySchemes: { ...document.components?.securitySchemes, basic: { type: 'http', scheme: 'basic' } },
  };
  document.paths['/api/v1/uplinks/{device}'] = {
    post: {
      ...common,
      operationId: 'Uplinks_post',
      summary: 'Kiriman perangkat lewat HTTP / A message of a device over HTTP',
      parameters: [
        device,
        query('codec', 'Codec, when it is not Pantau’s own JSON'),
        query('kind', 'telemetry by default', { type: 'string', enum: [...TOPIC_KINDS] }),
      ],
      requestBody: {
        content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
      },
      responses: { 202: answer(taken, durable) },
    },
  };
  document.paths['/api/v1/uplinks/{device}/batch'] = {
    post: {
      ...common,
      operationId: 'Uplinks_batch',
      summary: 'Unggahan CSV pencatat luring / CSV upload of an offline logger, with a report by line',
      parameters: [
        device,
        query('utcOffset', 'Waktu tanpa zona / of times without a zone, such as +07:00'),
        query('decimal', 'Tanda desimal / decimal mark; else as the file proves it', {
          type: 'string',
          enum: ['comma', 'point'],
        }),
        query('order', 'Baris tanpa urutan / lines in no order, whose times are right all the same', {
          type: 'string',
          enum: ['any'],
        }),
        query('dryRun', 'Hanya menilai / only judge the file, and show what would be stored', {
          type: 'string',
          enum: ['true', 'false'],
        }),
      ],
      requestBody: { content: { 'text/csv': { schema: { type: 'string' } } } },
      responses: {
        202: answer(csvTaken, durable),
        200: answer(csvJudged, 'dryRun: yang akan disimpan / what would be stored'),
        400: answer(
          csvRefused,
          'Berkas tidak jelas, tidak satu baris pun diambil; problems menyebut baris, kolom, dan cara memperbaiki / not clear as a whole, nothing was taken; problems name line, column and remedy',
          'application/problem+json',
        ),
      },
    },
  };
  return document;
}
