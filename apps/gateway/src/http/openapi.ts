import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { problem } from './answer.js';

/** Describes a body schema in OpenAPI, from the schema itself. */
export function ApiZodBody(schema: z.ZodType): MethodDecorator {
  return ApiBody({ schema: openApiSchema(schema, 'input') });
}

/** Where a route keeps the schema of its answer, and the members of its query as they are described. */
export const ANSWER = 'pantau:answer';
export const QUERY = 'pantau:query';

/** Describes every member of a query schema in OpenAPI, from the schema itself. */
export function ApiZodQuery(schema: z.ZodObject): MethodDecorator & ClassDecorator {
  const { properties, required } = membersOf(schema);
  return applyDecorators(
    SetMetadata(QUERY, properties),
    ...Object.entries(properties).map(([name, property]) =>
      ApiQuery({ name, required: required.includes(name), schema: property }),
    ),
  );
}

/** Describes a member of the path, from the schema that it is checked with. */
export function ApiZodParam(name: string, schema: z.ZodType): MethodDecorator & ClassDecorator {
  return ApiParam({ name, schema: openApiSchema(schema, 'input') });
}

/** Describes what a route answers in OpenAPI, from the schema that the type of the answer comes from. */
export function ApiZodAnswer(
  schema: z.ZodType,
  status = 200,
  description = 'Berhasil / Success',
): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ...(status === 200 ? [SetMetadata(ANSWER, schema)] : []),
    ApiResponse({ status, description, schema: openApiSchema(schema, 'output') }),
  );
}

/** A schema in the dialect of OpenAPI 3.1. What has a name stands in `$defs`; the document brings it among its components. */
export function openApiSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const described = z.toJSONSchema(schema, { io, unrepresentable: 'any', override });
  delete described.$schema;
  return described;
}

function membersOf(schema: z.ZodObject): {
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
} {
  const { properties = {}, required = [] } = openApiSchema(schema, 'input') as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return { properties, required };
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;

/** What says nothing to a reader goes: the calendar as a regular expression, the bounds of a double. */
const override: Override = ({ jsonSchema }) => {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.type === 'object' && isAnyText(jsonSchema.propertyNames)) delete jsonSchema.propertyNames;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

function isAnyText(names: unknown): boolean {
  return JSON.stringify(names) === '{"type":"string"}';
}

/** A change that may say what it changes. */
export function ApiPreconditions(): MethodDecorator {
  const header = (name: string, description: string) =>
    ApiHeader({ name, required: false, description, schema: { type: 'string' } });
  return applyDecorators(
    header('If-Match', 'ETag of what you saw: 412 when somebody changed it meanwhile'),
    header('If-None-Match', '`*`: 412 when there is one already'),
    ApiResponse({
      status: 412,
      description: 'Sudah berubah / Changed meanwhile',
      content: { 'application/problem+json': { schema: openApiSchema(problem, 'output') } },
    }),
  );
}
