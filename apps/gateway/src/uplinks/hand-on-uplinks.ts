import { sendProblem } from '#libs/http';
import { messageOf, PantauError, SECOND, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface HandOnOptions {
  /** Path of the local socket of the intake. */
  readonly socket: string;
  /** How long the intake may take for its answer once it has the whole request. */
  readonly answerWithin?: Millis;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
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
  { socket, answerWithin = 30 * SECOND }: HandOnOptions,
  logger: Logger,
): (scope: FastifyInstance) => Promise<void> {
  return async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body flows through: the intake decides who may send one, and how large.
    scope.addContentTypeParser('*', (_request, _body, done) => done(null));
    scope.setErrorHandler((error, request, reply) => {
      if (sendProblem(error, request, reply, 'Basic realm="Pantau"') === 500)
        logger.error({ err: error }, 'an uplink was not handed on');
      return reply;
    });
    for (const url of ['/api/v1/uplinks/:device', '/api/v1/uplinks/:device/batch'])
      scope.post(url, async (request, reply) => {
        const { status, headers, body } = await handedOn(request, reply, socket, answerWithin);
        for (const name of HANDED_BACK) {
          const value = headers[name];
          if (value !== undefined) void reply.header(name, value);
        }
        return reply.status(status).send(body);
      });
  };
}

/** @throws PantauError `INTAKE_UNAVAILABLE` (transient) */
async function handedOn(
  { url, headers, ip, raw }: FastifyRequest,
  { raw: reply }: FastifyReply,
  socketPath: string,
  answerWithin: Millis,
): Promise<Answer> {
  const handed: OutgoingHttpHeaders = { 'x-forwarded-for': ip };
  for (const name of HANDED_ON) if (headers[name] !== undefined) handed[name] = headers[name];
  if (headers['transfer-encoding'] === undefined) handed['content-length'] = headers['content-length'] ?? '0';
  const call = httpRequest({ socketPath, method: 'POST', path: url, headers: handed });
  // The device left: nobody waits for the answer.
  const leave = (): void => void call.destroy();
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const late = new Error(`no answer within ${answerWithin / SECOND} s`);
    timer = setTimeout(() => call.destroy(late), answerWithin);
  };
  try {
    return await new Promise<Answer>((resolve, reject) => {
      // May come more than once: the intake can answer and go before it has the whole body.
      call.on('error', reject);
      call.once('response', (answer) => {
        const { statusCode: status = 502, headers } = answer;
        buffer(answer).then((body) => resolve({ status, headers, body }), reject);
      });
      reply.once('close', leave);
      // A stranger is answered before anything of a body comes.
      call.flushHeaders();
      raw.once('end', wait).pipe(call);
    });
  } catch (cause) {
    throw new PantauError('INTAKE_UNAVAILABLE', `uplinks are not taken in now: ${messageOf(cause)}.`, {
      remedy: 'Devices keep their data and send again; run http-intake beside the API.',
      transient: true,
      cause,
    });
  } finally {
    clearTimeout(timer);
    reply.off('close', leave);
    raw.off('end', wait);
    // What was not wanted of the body goes nowhere, so that the connection can be used again.
    raw.unpipe(call).resume();
    if (!call.writableFinished) call.destroy();
  }
}
