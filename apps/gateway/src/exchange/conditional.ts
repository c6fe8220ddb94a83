import { defined, PantauError } from '#libs/kernel';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';

/** What changes when an answer does: a digest of its text. */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

/** What somebody saw before he changes it. */
export interface Precondition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

/** The condition under which a request changes something (RFC 9110, 13.1). */
export const Preconditions = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Precondition => {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    return defined({ ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] });
  },
);

/**
 * That a thing is still what whoever changes it saw, so that of two people none undoes unseen what the other did.
 *
 * @param current - as its GET answers; undefined while there is none
 * @throws PantauError `CHANGED_MEANWHILE`
 */
export function assertUnchanged(current: object | undefined, precondition: Precondition): void {
  assertTagUnchanged(current === undefined ? '' : etagOf(JSON.stringify(current)), precondition);
}

/** The same by the ETag of its GET; empty while there is none. @throws PantauError `CHANGED_MEANWHILE` */
export function assertTagUnchanged(etag: string, { ifMatch, ifNoneMatch }: Precondition): void {
  const isAsSeen = ifMatch === undefined || (etag !== '' && names(ifMatch, etag));
  const isNew = ifNoneMatch === undefined || etag === '' || !names(ifNoneMatch, etag);
  if (!isAsSeen || !isNew) throw changedMeanwhile(isAsSeen ? 'If-None-Match' : 'If-Match');
}

function changedMeanwhile(header: 'If-Match' | 'If-None-Match'): PantauError {
  return new PantauError('CHANGED_MEANWHILE', 'it is no longer what you saw: somebody changed it.', {
    remedy: 'Read it again, and send the change with the ETag of that answer.',
    fields: [{ field: header, message: 'does not fit what is there' }],
  });
}

/** A strong comparison; a tag that is weak names nothing. */
function names(header: string, etag: string): boolean {
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim() === etag);
}

/** Answers that are read get an ETag, and whoever has them already gets 304; a page of a list links to the next (RFC 8288). */
export function answerConditionally(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', async (request, reply, payload) => {
    if (isRead(request) && isPage(payload))
      void reply.header('link', `<${nextOf(request, payload.next)}>; rel="next"`);
    return payload;
  });
  fastify.addHook('onSend', async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const isShown = isRead(request) || request.method === 'PUT';
    if (!isShown || reply.statusCode !== 200 || typeof payload !== 'string') return payload;
    const etag = etagOf(payload);
    void reply.header('etag', etag);
    if (!isRead(request)) return payload;
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'private, no-cache');
    const seen = request.headers['if-none-match'];
    // Weak tags are of the same text, sent another way.
    if (seen === undefined || !names(seen.replaceAll('W/', ''), etag)) return payload;
    void reply.status(304).removeHeader('content-type').removeHeader('content-length');
    return '';
  });
}

function isRead({ method, url }: FastifyRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && url.startsWith('/api/v1/');
}

function isPage(payload: unknown): payload is { readonly next: string } {
  return (
    typeof payload === 'object' && payload !== null && 'next' in payload && typeof payload.next === 'string'
  );
}

/** Relative to the request, whatever stands before the API. */
function nextOf({ url }: FastifyRequest, next: string): string {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  query.set('after', next);
  return `?${query.toString()}`;
}
