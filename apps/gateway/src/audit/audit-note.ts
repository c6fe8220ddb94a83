import type { AuditEntry } from '#libs/streams';
import {
  createParamDecorator,
  SetMetadata,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** What a route adds to the entry that is made of its request: nothing unless it is harmless. */
export interface AuditNote {
  before?: unknown;
  after?: unknown;
  /** Who turned out to ask, of a public route. */
  by?: AuditEntry['by'];
  /** What it was done to beside what the path names. */
  on?: AuditEntry['on'];
}

export interface Audited {
  auditNote?: AuditNote;
  /** Noted before the route was called. */
  auditIntent?: string;
}
export type NotedRequest = FastifyRequest & Audited;

export const Note = createParamDecorator((_data: unknown, context: ExecutionContext): AuditNote => {
  const request = context.switchToHttp().getRequest<NotedRequest>();
  return (request.auditNote ??= {});
});

export const AUDITED = 'pantau:audited';
/** A GET that changes something: a browser was sent to it. */
export const Audited = (): CustomDecorator => SetMetadata(AUDITED, true);
