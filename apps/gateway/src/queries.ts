import { DAY, localDaySpan } from '#libs/kernel';
import { PARAMETER_CODES, REJECTION_REASONS, type Parameter } from '#libs/telemetry';
import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';

const limit = (standard: number, most: number) =>
  z.coerce.number().int().min(1).max(most).default(standard).describe(`At most this many, 1 to ${most}`);
const instant = z.iso
  .datetime({ offset: true, error: 'expected ISO 8601 with Z or an offset' })
  .transform((text) => Date.parse(text));
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

export const countQuery = z.strictObject(readingsFilter);

export const readingsQuery = z
  .strictObject({
    ...readingsFilter,
    order: z.enum(['asc', 'desc']).default('desc'),
    limit: limit(100, 10_000),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    message: 'expected a time after from',
  });

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

export const alertsQuery = z.strictObject({
  state: z.enum(['pending', 'firing', 'resolved', 'cancelled']).optional(),
  device: id.optional(),
  limit: limit(100, 1_000),
});

export const indicatorsQuery = z.strictObject({
  indicator: z.string().max(100).optional(),
  device: id.optional(),
  site: id.optional(),
  from: day.optional().describe('First day (Asia/Jakarta), included'),
  to: day.optional().describe('Last day (Asia/Jakarta), included'),
  limit: limit(31, 1_000),
});

export const rejectedQuery = z.strictObject({
  reason: z.enum(REJECTION_REASONS).optional(),
  device: id.optional(),
  limit: limit(50, 1_000),
});

/** Describes every member of a query schema in OpenAPI, from the schema itself. */
export function ApiZodQuery(schema: z.ZodObject): MethodDecorator & ClassDecorator {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return applyDecorators(
    ...Object.entries(properties).map(([name, property]) =>
      ApiQuery({ name, required: required.includes(name), schema: property as object }),
    ),
  );
}
