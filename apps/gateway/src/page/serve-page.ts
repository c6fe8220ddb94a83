import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { etagOf } from '../exchange/conditional.js';
import type { PageFiles, PageFile } from './page-files.js';

/** A year. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * Serves the page: its assets, and below every other address that a browser opens `index.html`, which finds out what to show. What is below
 * `/api/` is never the page; nor is what a program asks for, which learns that there is no such thing.
 */
export function servePage(fastify: FastifyInstance, page: PageFiles | undefined): void {
  const index = page === undefined ? undefined : etagOf(page.index.plain.toString());
  fastify.get('/*', async (request, reply) => {
    const path = decodedPath(request.url);
    if (path === undefined || path.startsWith('/api/')) return notFound(reply);
    const asset = page?.assets.get(path.slice(1));
    if (asset !== undefined) {
      void reply.header('cache-control', FOR_EVER);
      return send(request, reply, asset);
    }
    if (page === undefined || index === undefined || !isOpenedByBrowser(path, request))
      return notFound(reply);
    void reply.header('cache-control', 'no-cache').header('etag', index);
    if (request.headers['if-none-match'] === index) return reply.status(304).send();
    return send(request, reply, page.index);
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  reply.callNotFound();
  return reply;
}

function isOpenedByBrowser(path: string, { headers }: FastifyRequest): boolean {
  return path === '/' || headers.accept?.includes('text/html') === true;
}

function decodedPath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '/');
  } catch {
    return undefined;
  }
}

function send({ headers }: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  void reply.header('content-type', file.type).header('vary', 'accept-encoding');
  const accepted = acceptedEncodings(headers['accept-encoding']);
  for (const encoding of ['br', 'gzip'] as const) {
    const compressed = file[encoding];
    if (compressed === undefined || !accepted.has(encoding)) continue;
    return reply.header('content-encoding', encoding).send(compressed);
  }
  return reply.send(file.plain);
}

/** Codings that are named without a weight of nought (RFC 9110, 12.5.3). */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const named = [header ?? ''].flat().join(',').toLowerCase().split(',');
  return new Set(
    named.flatMap((one) => {
      const [coding = '', ...parameters] = one.split(';').map((part) => part.trim());
      return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [coding];
    }),
  );
}
