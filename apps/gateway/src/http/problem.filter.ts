import { sendProblem } from '#libs/http';
import type { Logger } from '#libs/platform';
import {
  Catch,
  MethodNotAllowedException,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Every error as problem details (RFC 9457), `application/problem+json`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    /** Methods of the path, when the request has another one. */
    private readonly allowed: (request: FastifyRequest) => string | undefined,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const allowed = error instanceof NotFoundException ? this.allowed(request) : undefined;
    if (allowed !== undefined) void reply.header('allow', allowed);
    const shown =
      allowed === undefined ? error : new MethodNotAllowedException(`${request.method}: ${allowed}`);
    if (sendProblem(shown, request, reply, 'Bearer') === 500)
      this.logger.error({ err: error }, 'request failed');
  }
}
