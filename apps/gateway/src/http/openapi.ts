import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

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

/** Describes what a route answers in OpenAPI, from the schema that the type of the answer comes from. */
export function ApiZodAnswer(schema: z.ZodType, status = 200): MethodDecorator & ClassDecorator {
  const answer: object = z.toJSONSchema(schema, { io: 'output', target: 'openapi-3.0' });
  return ApiResponse({ status, description: '', schema: answer });
}
