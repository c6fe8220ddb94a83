import { sendProblem } from '#libs/http';
import { messageOf, PantauError } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface HandOnOptions {
  /** Path of the local socket of the intake. */
  readonly socket: string;
  readonly maxPayloadBytes: number;
  readonly maxBatchBytes: number;
}

/** Of the request; what else there is concerns this connection alone. */
const HANDED_ON = ['authorization', 'content-type'] as const;
/** Of the answer. */
const HANDED_BACK = ['content-type', 'www-authenticate', 'retry-after'] as const;

/**
 * Uplinks that devices post to the port of the API, handed on to the intake, which authenticates, limits and answers as on
 * its own port. Devices had this address before the intake had one.
 */
export function handOnUplinks(
  { socket, maxPayloadBytes, maxBatchBytes }: HandOnOptions,
  logger: Logger,
): (scope: FastifyInstance) => Promise<void> {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, request, reply) => {
      if (sendProblem(error, request, reply, 'Basic realm="Pantau"') === 500)
        logger.error({ err: error }, 'an uplink was not handed on');
      return reply;
    });
    for (const [url, bodyLimit] of [
      ['/api/v1/uplinks/:device', maxPayloadBytes],
      ['/api/v1/uplinks/:device/batch', maxBatchBytes],
    ] as const)
      scope.post(url, { bodyLimit }, async (request, reply) => {
        const answer = await handedOn(request, socket);
        for (const name of HANDED_BACK) {
          const value = answer.headers[name];
          if (value !== undefined) void reply.header(name, value);
        }
        return reply.status(answer.statusCode ?? 502).send(await buffer(answer));
      });
  };
}

/** @throws PantauError `INTAKE_UNAVAILABLE` (transient) */
function handedOn({ url, headers, body, ip }: FastifyRequest, socketPath: string): Promise<IncomingMessage> {
  const bytes = (body as Buffer | null) ?? Buffer.alloc(0);
  const handed: OutgoingHttpHeaders = { 'content-length': bytes.length, 'x-forwarded-for': ip };
  for (const name of HANDED_ON) if (headers[name] !== undefined) handed[name] = headers[name];
  return new Promise((resolve, reject) => {
    const call = httpRequest({ socketPath, method: 'POST', path: url, headers: handed }, resolve);
    call.once('error', (cause) =>
      reject(
        new PantauError('INTAKE_UNAVAILABLE', `uplinks are not taken in now: ${messageOf(cause)}.`, {
          remedy: 'Devices keep their data and send again; run http-intake beside the API.',
          transient: true,
          cause,
        }),
      ),
    );
    call.end(bytes);
  });
}
