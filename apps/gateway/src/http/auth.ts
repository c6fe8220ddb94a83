import type { OpenSession, Permission, Principal } from '#libs/identity';
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
import { described, PERMISSION, PUBLIC } from './permission.js';
import { assertCsrfToken, assertSameSite, changes } from './browser/same-site.js';

/** What the guard found out about a request. */
export interface Known {
  principal?: Principal;
  session?: OpenSession;
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

const WRONG_TOKENS_PER_ADDRESS = { perSecond: 1, burst: 60 };

/** `Authorization: Bearer <token>` or the cookie of a session on every route that is not public, and what the route needs. */
@Injectable()
export class AccessGuard implements CanActivate {
  readonly #wrong = new TokenBuckets(WRONG_TOKENS_PER_ADDRESS);

  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const isPublic = this.reflector.get<boolean | undefined>(PUBLIC, context.getHandler()) === true;
    if (isPublic && changes(request)) {
      // Whoever signs in may still have a session; nobody may be signed in by another site.
      assertSameSite(request, this.pantau.publicUrl);
      return true;
    }
    const { principal, session } = await this.#known(request);
    if (principal !== undefined) request.principal = principal;
    if (session !== undefined) request.session = session;
    // It may tell more to whom it knows.
    if (isPublic) return true;
    if (principal === undefined)
      throw new UnauthorizedException(
        'Masuklah, atau kirim token API yang sah. / Sign in, or send a valid API token.',
      );
    const needed = this.reflector.get<Permission>(PERMISSION, context.getHandler());
    if (!principal.permissions.includes(needed)) throw new ForbiddenException(described(needed));
    const stillHolds = async (): Promise<boolean> => {
      const { principal: now } = await this.#known(request, false);
      return now?.permissions.includes(needed) === true;
    };
    request.stillHolds = stillHolds;
    return true;
  }

  /** A right token or cookie is never kept out by the wrong ones of its address: looking at one costs next to nothing. */
  async #known(request: FastifyRequest, isUse = true): Promise<Known> {
    // The name of a scheme has no case (RFC 9110, 11.1).
    const [scheme, token] = (request.headers.authorization ?? '').split(/ +/);
    if (scheme?.toLowerCase() === 'bearer' && token !== undefined) {
      const principal = await this.pantau.tokens.verify(token);
      if (principal === undefined) this.#isWrong(request.ip);
      return principal === undefined ? {} : { principal };
    }
    const cookie = sessionCookie(request);
    if (cookie === undefined || cookie === '') return {};
    const session = await this.pantau.sessions.verify(cookie, isUse);
    if (session === undefined) {
      this.#isWrong(request.ip);
      return {};
    }
    assertSameSite(request, this.pantau.publicUrl);
    assertCsrfToken(request, session.csrfToken);
    return { session, principal: session.principal };
  }

  #isWrong(address: string): void {
    const now = performance.now();
    if (!this.#wrong.of(address, now).tryTake(now))
      throw new PantauError('OVERLOADED', 'too many wrong tokens from this address.', { transient: true });
  }
}
