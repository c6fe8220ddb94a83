import type { Permission, Principal, Tokens } from '#libs/identity';
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
import { described, PERMISSION, PUBLIC } from './permission.js';

export const TOKENS = Symbol('Tokens');

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
    const needed = this.reflector.get<Permission>(PERMISSION, context.getHandler());
    if (!principal.permissions.includes(needed)) throw new ForbiddenException(described(needed));
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
