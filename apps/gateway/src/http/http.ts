import { checked, sendProblem } from '#libs/http';
import { PantauError, TokenBuckets } from '#libs/kernel';
import type { Principal, Role, Tokens } from '#libs/identity';
import type { Logger } from '#libs/platform';
import {
  Catch,
  createParamDecorator,
  ForbiddenException,
  Inject,
  Injectable,
  MethodNotAllowedException,
  NotFoundException,
  SetMetadata,
  UnauthorizedException,
  type ArgumentsHost,
  type CanActivate,
  type CustomDecorator,
  type ExceptionFilter,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

export const TOKENS = Symbol('Tokens');

const PUBLIC = 'pantau:public';
/** A route that needs no token. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

const ROLES = 'pantau:roles';
/** A route that only tokens of these roles may use. */
export const Roles = (...roles: readonly Role[]): CustomDecorator => SetMetadata(ROLES, roles);

type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** Whose token the request carries. */
export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().principal,
);

const WRONG_TOKENS_PER_ADDRESS = { perSecond: 1, burst: 60 };

/** `Authorization: Bearer <token>` on every route that is not {@link Public}. */
@Injectable()
export class TokenGuard implements CanActivate {
  readonly #wrongTokens = new TokenBuckets(WRONG_TOKENS_PER_ADDRESS);

  constructor(
    @Inject(TOKENS) private readonly tokens: Tokens,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    // The name of a scheme has no case (RFC 9110, 11.1).
    const [scheme, token] = (request.headers.authorization ?? '').split(/ +/);
    const principal =
      scheme?.toLowerCase() === 'bearer' && token !== undefined
        ? await this.#verify(token, request.ip)
        : undefined;
    if (this.reflector.get<boolean | undefined>(PUBLIC, context.getHandler()) === true) {
      // Public, and it may tell more to whom it knows.
      if (principal !== undefined) request.principal = principal;
      return true;
    }
    if (principal === undefined)
      throw new UnauthorizedException(
        'Token API tidak ada atau tidak sah. / The API token is missing or not valid.',
      );
    const roles = this.reflector.get<readonly Role[] | undefined>(ROLES, context.getHandler());
    if (roles !== undefined && !roles.includes(principal.role))
      throw new ForbiddenException(
        `Perlu peran ${roles.join(' / ')}. / Needs the role ${roles.join(' or ')}.`,
      );
    request.principal = principal;
    return true;
  }

  /** A right token is never kept out by the wrong ones of its address: looking at one costs next to nothing. */
  async #verify(token: string, address: string): Promise<Principal | undefined> {
    const principal = await this.tokens.verify(token);
    const now = performance.now();
    if (principal === undefined && !this.#wrongTokens.of(address, now).tryTake(now))
      throw new PantauError('OVERLOADED', 'too many wrong tokens from this address.', { transient: true });
    return principal;
  }
}

/** Checks a query or body against its schema; a problem names the member. */
export class ZodPipe<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  constructor(private readonly schema: S) {}

  transform(value: unknown): z.output<S> {
    return checked(this.schema, value);
  }
}

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
