import { networkOf, type OpenSession, type Permission, type Principal } from '#libs/identity';
import { PantauError, TokenBuckets } from '#libs/kernel';
import {
  createParamDecorator,
  ForbiddenException,
  Inject,
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { sessionCookie } from './cookie.js';
import { described, isPublicRoute, PERMISSION } from './permission.js';
import { assertCsrfToken, assertSameSite, changes } from './browser/same-site.js';

/** What the guards found out about a request. */
export interface Known {
  principal?: Principal;
  session?: OpenSession;
  /** Presented a token or a cookie that is nobody's. */
  isWrong?: boolean;
  /** Whether it would be let in again: for answers that go on. */
  stillHolds?: () => Promise<boolean>;
}
export type AuthenticatedRequest = FastifyRequest & Known;

/** Who the request comes from. */
export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().principal,
);

/** The session that the request belongs to; of a route whose permission no token has. */
export const Session = createParamDecorator(
  (_data: unknown, context: ExecutionContext): OpenSession | undefined =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().session,
);

/** Whoever presents what is nobody's, of one network. */
const WRONG_TOKENS = { perSecond: 1, burst: 60 };

/**
 * Who asks: `Authorization: Bearer <token>`, or the cookie of a session. It refuses nobody, so that the guard after it meters those
 * who will be refused as well.
 */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const isPublic = isPublicRoute(this.reflector, context);
    // Whoever signs in may still have a session, which has no say in it.
    if (!(isPublic && changes(request))) Object.assign(request, await known(this.pantau, request));
    return true;
  }
}

/** What the route needs, and that a change comes from who asks. */
@Injectable()
export class AccessGuard implements CanActivate {
  readonly #wrong = new TokenBuckets(WRONG_TOKENS);

  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { principal, session, isWrong } = request;
    const isPublic = isPublicRoute(this.reflector, context);
    // Programs say nothing of where they come from; nobody is signed in by another site either.
    if (isPublic || session !== undefined) assertSameSite(request, this.pantau.publicUrl);
    if (session !== undefined) assertCsrfToken(request, session.csrfToken);
    if (isPublic) return true;
    if (principal === undefined) {
      if (isWrong === true) this.#count(request.ip);
      throw new UnauthorizedException(
        'Masuklah, atau kirim token API yang sah. / Sign in, or send a valid API token.',
      );
    }
    const needed = this.reflector.get<Permission>(PERMISSION, context.getHandler());
    if (!principal.permissions.includes(needed)) throw new ForbiddenException(described(needed));
    request.stillHolds = async () => {
      const { principal: now } = await known(this.pantau, request, false);
      return now?.permissions.includes(needed) === true;
    };
    return true;
  }

  /** A right token or cookie is never kept out by the wrong ones of its network: looking at one costs next to nothing. */
  #count(address: string): void {
    const now = performance.now();
    if (!this.#wrong.of(networkOf(address), now).tryTake(now))
      throw new PantauError('OVERLOADED', 'too many wrong tokens from this address.', { transient: true });
  }
}

async function known(
  { tokens, sessions, publicUrl }: GatewayDependencies,
  request: FastifyRequest,
  isUse = true,
): Promise<Known> {
  // The name of a scheme has no case (RFC 9110, 11.1).
  const [scheme, token] = (request.headers.authorization ?? '').split(/ +/);
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined) {
    const principal = await tokens.verify(token);
    return principal === undefined ? { isWrong: true } : { principal };
  }
  const cookie = sessionCookie(request, publicUrl);
  if (cookie === undefined || cookie === '') return {};
  const session = await sessions.verify(cookie, isUse);
  return session === undefined ? { isWrong: true } : { session, principal: session.principal };
}
