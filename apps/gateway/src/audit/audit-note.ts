import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** What a route adds to the entry that is made of its request: nothing unless it is harmless. */
export interface AuditNote {
  before?: unknown;
  after?: unknown;
  /** Who turned out to ask, of a public route. */
  user?: string;
}

export type NotedRequest = FastifyRequest & { auditNote?: AuditNote };

export const Note = createParamDecorator((_data: unknown, context: ExecutionContext): AuditNote => {
  const request = context.switchToHttp().getRequest<NotedRequest>();
  return (request.auditNote ??= {});
});
