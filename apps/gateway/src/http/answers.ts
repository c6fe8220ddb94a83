import { ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';

/** Describes what a route answers in OpenAPI, from the schema that the type of the answer comes from. */
export function ApiZodAnswer(schema: z.ZodType): MethodDecorator & ClassDecorator {
  const answer: object = z.toJSONSchema(schema, { io: 'output', target: 'openapi-3.0' });
  return ApiOkResponse({ schema: answer });
}
