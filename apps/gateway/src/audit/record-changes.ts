import { problemOf } from '#libs/http';
import type { Audit } from '#libs/identity';
import { parseJson, PantauError, REQUEST_BOUNDS } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { AuditEntry } from '#libs/streams';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../http/auth.js';
import { changes } from '../http/browser/same-site.js';
import type { NotedRequest } from './audit-note.js';

/** What devices send is no change that people make; the journal has it as it came. */
const OF_DEVICES = '/api/v1/uplinks';

/**
 * Every request that may change something has an entry in the audit log before it is answered, whatever came of it: a new route
 * has it by itself.
 */
export function recordChanges(fastify: FastifyInstance, audit: () => Audit, logger: Logger): void {
  fastify.addHook('onSend', async (request, reply, payload) => {
    const { url } = request.routeOptions;
    if (url === undefined || url.startsWith(OF_DEVICES) || !changes(request)) return payload;
    try {
      await audit().record(entryOf(request, url, reply.statusCode, payload));
      return payload;
    } catch (error) {
      logger.error({ err: error }, 'a change could not be recorded in the audit log');
      return notRecorded(reply, request.url);
    }
  });
}

function entryOf(
  request: AuthenticatedRequest & NotedRequest,
  url: string,
  status: number,
  payload: unknown,
): Omit<AuditEntry, 'at'> {
  const { principal, auditNote: note = {}, method, ip, params } = request;
  const known =
    principal ?? (note.user === undefined ? undefined : { kind: 'user' as const, name: note.user });
  const isDone = status < 400;
  const code = isDone ? undefined : codeOf(payload);
  return {
    by: { kind: known?.kind ?? 'nobody', name: known?.name ?? '' },
    from: ip,
    action: `${method} ${url.replace(/:(\w+)/g, '{$1}')}`,
    on: Object.fromEntries(
      Object.entries(params as Record<string, string>).map(([name, value]) => [
        name,
        value.slice(0, LONGEST_NAME),
      ]),
    ),
    ...(isDone && note.before !== undefined ? { before: note.before } : {}),
    ...(isDone && note.after !== undefined ? { after: note.after } : {}),
    result: isDone ? 'done' : status < 500 ? 'refused' : 'failed',
    status,
    ...(code === undefined ? {} : { code }),
  };
}

const LONGEST_NAME = 100;

/** The code of a problem. */
function codeOf(payload: unknown): string | undefined {
  if (typeof payload !== 'string') return undefined;
  const { code } = parseJson(Buffer.from(payload), REQUEST_BOUNDS, 'problem') as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Nobody is told that it went well when nobody will know of it. */
function notRecorded(reply: FastifyReply, url: string): string {
  const problem = problemOf(
    new PantauError(
      'JOURNAL_WRITE_FAILED',
      'it may have been done, but the audit log could not be written.',
      {
        remedy: 'Look at what is there before you try again.',
        transient: true,
      },
    ),
    url,
  );
  void reply.code(problem.status).header('content-type', 'application/problem+json; charset=utf-8');
  void reply.removeHeader('content-length');
  return JSON.stringify(problem);
}
