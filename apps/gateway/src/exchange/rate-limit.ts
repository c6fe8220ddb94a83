import { networkOf } from '#libs/identity';
import { PantauError, TokenBuckets, type Rate } from '#libs/kernel';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../http/auth.js';

/** Of one principal, or of one network where nobody is known: a page and its live parts, many times over. */
export const REQUESTS: Rate = { perSecond: 50, burst: 2_000 };

/** Meters what one asks for, and says how much is left (RateLimit header fields). After the guard that knows who asks, before those that refuse. */
@Injectable()
export class RateGuard implements CanActivate {
  readonly #buckets = new TokenBuckets(REQUESTS);

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { principal, ip } = http.getRequest<AuthenticatedRequest>();
    const reply = http.getResponse<FastifyReply>();
    const now = performance.now();
    const key = principal === undefined ? `network ${networkOf(ip)}` : `${principal.kind} ${principal.name}`;
    const bucket = this.#buckets.of(key, now);
    const isTaken = bucket.tryTake(now);
    const left = bucket.left(now);
    void reply.header('ratelimit-limit', REQUESTS.burst);
    void reply.header('ratelimit-remaining', Math.floor(left));
    void reply.header('ratelimit-reset', Math.ceil((REQUESTS.burst - left) / REQUESTS.perSecond));
    if (isTaken) return true;
    void reply.header('retry-after', 1);
    throw new PantauError('OVERLOADED', 'more requests than may be made.', {
      remedy: `At most ${REQUESTS.perSecond} a second over time; see Retry-After.`,
      transient: true,
    });
  }
}
