import {
  assertWithin,
  isTransient,
  messageOf,
  PantauError,
  REQUEST_BOUNDS,
  TokenBuckets,
  type ErrorCode,
} from '#libs/kernel';
import type { Principal, Role, Tokens } from '#libs/identity';
import type { Logger } from '#libs/platform';
import {
  Catch,
  createParamDecorator,
  ForbiddenException,
  HttpException,
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

/**
 * What came with a request, checked: first that it is within bounds, because schemas recurse, then against its schema.
 *
 * @throws PantauError `INPUT_LIMIT` or `USAGE`, with what is wrong with which member
 */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  assertWithin(value, REQUEST_BOUNDS);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, SHOWN_PROBLEMS).map(({ path, message }) => ({
    field: path.join('.') || 'request',
    message,
  }));
  throw new PantauError('USAGE', fields.map(({ field, message }) => `${field}: ${message}`).join('; '), {
    fields,
  });
}

const SHOWN_PROBLEMS = 20;

const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  INPUT_LIMIT: 400,
  OUT_OF_RANGE: 400,
  STORE_QUESTION: 400,
  NOT_FOUND: 404,
  DEVICE_UNKNOWN: 404,
  SITE_UNKNOWN: 404,
  PROVISIONING_REFUSED: 403,
  OVERLOADED: 429,
  CHECK_RUNNING: 409,
  TOKEN_INVALID: 401,
  FORBIDDEN: 403,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Permintaan tidak sah / Bad request',
  401: 'Perlu token / Token required',
  403: 'Tidak diizinkan / Not allowed',
  404: 'Tidak ditemukan / Not found',
  405: 'Metode tidak didukung / Method not allowed',
  409: 'Sedang berjalan / Already running',
  413: 'Terlalu besar / Too large',
  415: 'Jenis isi tidak didukung / Unsupported media type',
  429: 'Terlalu sering / Too many requests',
  431: 'Header terlalu besar / Header fields too large',
  500: 'Kesalahan di dalam Pantau / Internal error',
  503: 'Sementara tidak tersedia / Temporarily unavailable',
};

/** Whatever was thrown as problem details (RFC 9457). */
export function problemOf(
  error: unknown,
  url: string,
): { readonly status: number; readonly [member: string]: unknown } {
  const status = statusOf(error);
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Kesalahan / Error',
    status,
    // What went wrong inside is for the log, not for the caller.
    detail: status === 500 ? undefined : messageOf(error),
    code: error instanceof PantauError ? error.code : undefined,
    errors: error instanceof PantauError ? error.fields : undefined,
    instance: url.split('?')[0],
  };
}

/** Seconds after which whoever was throttled may try again: by then a bucket holds something. */
const RETRY_AFTER_S = 5;

/** @param challenge - how to authenticate, for who did not */
export function sendProblem(
  error: unknown,
  { url }: { readonly url: string },
  reply: FastifyReply,
  challenge: string,
): number {
  const problem = problemOf(error, url);
  const { status } = problem;
  if (status === 401) void reply.header('www-authenticate', challenge);
  if (status === 429) void reply.header('retry-after', RETRY_AFTER_S);
  void reply.status(status).header('content-type', 'application/problem+json; charset=utf-8').send(problem);
  return status;
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

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own, such as a body that is too large.
  const { statusCode } = error as { readonly statusCode?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return statusCode;
  const known = error instanceof PantauError ? STATUS[error.code] : undefined;
  return known ?? (isTransient(error) ? 503 : 500);
}
