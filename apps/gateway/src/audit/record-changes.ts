import { languageOf, problemOf } from '#libs/http';
import type { Audit } from '#libs/identity';
import { defined, parseJson, PantauError, REQUEST_BOUNDS } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { AuditEntry } from '#libs/streams';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { REPLAYED } from '../exchange/idempotency.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { changes } from '../http/browser/same-site.js';
import type { Audited } from './audit-note.js';

/** What devices send is no change that people make; the journal has it as it came. */
const OF_DEVICES = '/api/v1/uplinks';

/**
 * Every request that may change something has an entry in the audit log before it is answered, whatever came of it: a new route
 * has it by itself. What a repeated request is answered from is recorded already.
 */
export function recordChanges(fastify: FastifyInstance, audit: () => Audit, logger: Logger): void {
  fastify.addHook('onSend', async (request: FastifyRequest & Audited, reply, payload) => {
    const { url } = request.routeOptions;
    if (url === undefined || url.startsWith(OF_DEVICES) || reply.hasHeader(REPLAYED)) return payload;
    if (!changes(request) && request.auditIntent === undefined) return payload;
    try {
      await audit().record(entryOf(request, reply.statusCode, payload));
      return payload;
    } catch (error) {
      logger.error({ err: error }, 'a change could not be recorded in the audit log');
      return notRecorded(reply, request);
    }
  });
}

type Intent = Parameters<Audit['begin']>[0];

/** What is known of a request before it is answered. */
export function askedBy(request: AuthenticatedRequest & Audited): Intent {
  const { principal, auditNote: note = {}, method, ip, params, routeOptions } = request;
  const named = Object.entries(params as Record<string, string>);
  return {
    by: note.by ?? { kind: principal?.kind ?? 'nobody', name: principal?.name ?? '' },
    from: ip,
    action: `${method} ${(routeOptions.url ?? '').replace(/:(\w+)/g, '{$1}')}`,
    on: {
      ...Object.fromEntries(named.map(([name, value]) => [name, value.slice(0, LONGEST_NAME)])),
      ...note.on,
    },
  };
}

function entryOf(
  request: AuthenticatedRequest & Audited,
  status: number,
  payload: unknown,
): Omit<AuditEntry, 'at'> {
  const { auditNote: note = {}, auditIntent: intent } = request;
  const isDone = status < 400;
  const code = isDone ? undefined : codeOf(payload);
  return {
    ...askedBy(request),
    ...(isDone && note.before !== undefined ? { before: note.before } : {}),
    ...(isDone && note.after !== undefined ? { after: note.after } : {}),
    result: isDone ? 'done' : status < 500 ? 'refused' : 'failed',
    status,
    ...defined({ code, intent }),
  };
}

const LONGEST_NAME = 100;

/** The code of a problem. */
function codeOf(payload: unknown): string | undefined {
  if (typeof payload !== 'string') return undefined;
  const { code } = parseJson(Buffer.from(payload), REQUEST_BOUNDS, 'problem') as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Of an answer that is not given: it would tell, or let in, whom nobody will know of. */
const OF_THE_ANSWER = ['content-length', 'set-cookie', 'etag', 'location', 'link'];

/** Nobody is told that it went well when nobody will know of it. */
function notRecorded(reply: FastifyReply, request: FastifyRequest): string {
  const error = new PantauError(
    'JOURNAL_WRITE_FAILED',
    'it may have been done, but the audit log could not be written.',
    {
      remedy: 'Look at what is there before you try again.',
      transient: true,
    },
  );
  const problem = problemOf(error, request.url, languageOf(request.headers['accept-language']));
  for (const name of OF_THE_ANSWER) void reply.removeHeader(name);
  void reply.code(problem.status).header('content-type', 'application/problem+json; charset=utf-8');
  return JSON.stringify(problem);
}
