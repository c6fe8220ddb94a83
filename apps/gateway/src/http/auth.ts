import type { Principal, Role, Tokens } from '#libs/identity';
import { PantauError, TokenBuckets } from '#libs/kernel';
import {
  createParamDecorator,
  ForbiddenException,
  Inject,
  Injectable,
  SetMetadata,
  UnauthorizedException,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

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
