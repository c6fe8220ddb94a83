import { DAY, localDaySpan, MINUTE } from '#libs/kernel';
import { readCursor } from '#libs/evidence';
import { deviceSchema } from '#libs/identity';
import { duration } from '#libs/platform';
import {
  MEASURED_CODES,
  PARAMETER_CODES,
  REJECTION_REASONS,
  type MeasuredParameter,
  type Parameter,
} from '#libs/telemetry';
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';

const limit = (standard: number, most: number) =>
  z.coerce.number().int().min(1).max(most).default(standard).describe(`At most this many, 1 to ${most}`);
/** A time outside these is a typing error. */
const EARLIEST = 0;
const LATEST = Date.UTC(2200, 0);
export const instant = z.iso
  .datetime({ offset: true, error: 'expected ISO 8601 with Z or an offset' })
  .transform((text) => Date.parse(text))
  .refine((at) => at >= EARLIEST && at < LATEST, 'expected a time from 1970 to 2199');
const day = z
  .string()
  .refine((text) => localDaySpan(text) !== undefined, 'expected a calendar day, YYYY-MM-DD');
const id = z.string().max(63);

const readingsFilter = {
  site: id.optional(),
  device: id.optional(),
  parameter: z.enum(PARAMETER_CODES as readonly [Parameter, ...Parameter[]]).optional(),
  from: instant.optional().describe('Device time, included'),
  to: instant.optional().describe('Device time, not included'),
};

/** The span of a query goes forwards. */
const forwards = [
  ({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }): boolean =>
    from === undefined || to === undefined || from < to,
  { path: ['to'] as string[], message: 'expected a time after from' },
] as const;

export const countQuery = z.strictObject(readingsFilter).refine(forwards[0], forwards[1]);

export const readingsQuery = z
  .strictObject({
    ...readingsFilter,
    order: z.enum(['asc', 'desc']).default('desc'),
    limit: limit(100, 10_000),
  })
  .refine(forwards[0], forwards[1]);

const MAX_ROLLUP_DAYS = 31;

export const rollupsQuery = z
  .strictObject({
    device: id,
    parameter: readingsFilter.parameter.unwrap(),
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe('Not included'),
  })
  .refine(({ from, to }) => from < to && to - from <= MAX_ROLLUP_DAYS * DAY, {
    path: ['to'],
    message: `expected a time after from, at most ${MAX_ROLLUP_DAYS} days later`,
  });

export const disagreementsQuery = z
  .strictObject({
    parameter: z
      .enum(MEASURED_CODES as readonly [MeasuredParameter, ...MeasuredParameter[]])
      .optional()
      .describe('All by default'),
    from: instant.describe('Included; the hour that holds it is the first'),
    to: instant.describe('Not included'),
    limit: limit(100, 1_000),
  })
  .refine(forwards[0], forwards[1]);

export const alertsQuery = z.strictObject({
  state: z.enum(['pending', 'firing', 'resolved', 'cancelled']).optional(),
  device: id.optional(),
  limit: limit(100, 1_000),
});

export const indicatorsQuery = z
  .strictObject({
    indicator: z.string().max(100).optional(),
    device: id.optional(),
    site: id.optional(),
    from: day.optional().describe('First day (Asia/Jakarta) on which a period begins, included'),
    to: day.optional().describe('Last day, included'),
    after: z
      .string()
      .max(200)
      .transform((text, context) => {
        const cursor = readCursor(text);
        if (cursor === undefined) context.addIssue('expected what an answer gave as next');
        return cursor ?? z.NEVER;
      })
      .optional()
      .describe('The list goes on after this: `next` of the answer before'),
    limit: limit(31, 1_000),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    message: 'expected from or a later day',
  });

export const clockQuery = z.strictObject({ limit: limit(31, 1_000) });

export const checkBody = z.strictObject({ device: id.optional().describe('One device alone') });

export const rejectedQuery = z.strictObject({
  reason: z.enum(REJECTION_REASONS).optional(),
  device: id.optional(),
  limit: limit(50, 1_000),
});

/** A command must fit into an MQTT message that the smallest device can hold. */
const MAX_PARAMS_BYTES = 16_384;
const MAX_CONFIGURATION_BYTES = 65_536;
const jsonOfAtMost = (bytes: number) => (value: unknown) => JSON.stringify(value ?? null).length <= bytes;

export const commandBody = z.strictObject({
  name: z.string().min(1).max(64).describe('What the device shall do, such as reboot'),
  params: z
    .json()
    .optional()
    .refine(jsonOfAtMost(MAX_PARAMS_BYTES), `expected at most ${MAX_PARAMS_BYTES} bytes of JSON`),
  expiresIn: duration
    .default(5 * MINUTE)
    .refine((ms) => ms >= 1_000 && ms <= 7 * DAY, 'expected 1s to 7d')
    .describe('Not sent after this time: 30s, 5m, 2h, 1d'),
});

export const commandsQuery = z.strictObject({ limit: limit(50, 1_000) });

export const configurationBody = z
  .record(z.string(), z.json())
  .refine(jsonOfAtMost(MAX_CONFIGURATION_BYTES), `expected at most ${MAX_CONFIGURATION_BYTES} bytes of JSON`);

const { id: deviceId, kind, name } = deviceSchema.shape;
export const claimBody = z.strictObject({
  key: z.string().max(200).describe('Provisioning key of the site'),
  id: deviceId.describe('The id that the device wants; its user name and client id'),
  kind,
  name: name.optional(),
  interval: duration.default(MINUTE).describe('How often it will report'),
});

/** Describes a body schema in OpenAPI, from the schema itself. */
export function ApiZodBody(schema: z.ZodType): MethodDecorator {
  return ApiBody({ schema: openApiSchema(schema) });
}

/** Free JSON has a schema that refers to itself among its definitions, where an OpenAPI document has none: there anything fits. */
export function openApiSchema(schema: z.ZodType): object {
  const { definitions, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'openapi-3.0',
  });
  if (definitions === undefined) return rest;
  // eslint-disable-next-line no-restricted-properties -- our own schema
  return JSON.parse(JSON.stringify(rest), (_name, member: unknown) =>
    typeof member === 'object' && member !== null && '$ref' in member ? {} : member,
  ) as object;
}

/** Describes every member of a query schema in OpenAPI, from the schema itself. */
export function ApiZodQuery(schema: z.ZodObject): MethodDecorator & ClassDecorator {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return applyDecorators(
    ...Object.entries(properties).map(([name, property]) =>
      ApiQuery({ name, required: required.includes(name), schema: property as object }),
    ),
  );
}
