import { problemOf } from '#libs/http';
import { DAY, HOUR, PantauError, SECOND, TokenBuckets, type Rate } from '#libs/kernel';
import { Inject, Injectable, SetMetadata } from '@nestjs/common';
import type {
  CallHandler,
  CustomDecorator,
  ExecutionContext,
  NestInterceptor,
  OnModuleDestroy,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { createHash, createHmac } from 'node:crypto';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { sessionCookie, type PublicAddress } from '../http/cookie.js';
import { IDEMPOTENCY } from '../namespaces.js';
import type { Done } from './done.js';

const KEEPS_ANSWER = 'pantau:keeps-answer';
/** The answer holds no secret: it is kept, so that it can be given again. */
export const KeepsAnswer = (): CustomDecorator => SetMetadata(KEEPS_ANSWER, true);

/** How long a key is remembered. */
export const REMEMBERED = DAY;
/** Keys of one principal: so many are remembered of him at most, since the start of this process. */
const MOST_KEYS = 1_000;
const NEW_KEYS: Rate = { perSecond: (MOST_KEYS * SECOND) / REMEMBERED, burst: MOST_KEYS };
/** An answer that was given before. */
export const REPLAYED = 'idempotency-replayed';
const KEY = /^[\x21-\x7e]{1,200}$/;

/** A POST with `Idempotency-Key` does its thing once: sent again, it gets the answer of the first time. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor, OnModuleDestroy {
  readonly #newKeys = new TokenBuckets(NEW_KEYS);
  readonly #sweep: NodeJS.Timeout;

  constructor(
    @Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {
    this.#sweep = setInterval(() => void this.forget().catch(() => undefined), HOUR).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#sweep);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const key = request.headers['idempotency-key'];
    const { principal } = request;
    // Nobody is known to whom the key would belong: a device that claims its id, somebody who signs in.
    if (request.method !== 'POST' || key === undefined || principal === undefined) return next.handle();
    const owner = keyDigest(`${principal.kind} ${principal.name}`);
    return from(this.#once(String(key), owner, request, http.getResponse<FastifyReply>(), context, next));
  }

  /** Forgets the keys that are too old. */
  async forget(): Promise<void> {
    const now = this.pantau.clock.now();
    const all = await this.pantau.state.list(IDEMPOTENCY);
    for (const { key, value } of all)
      if (now - value.at > REMEMBERED)
        await this.pantau.state.writeIf([IDEMPOTENCY.seen(key, value)], [IDEMPOTENCY.remove(key)]);
  }

  async #once(
    key: string,
    owner: string,
    request: AuthenticatedRequest,
    reply: FastifyReply,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<unknown> {
    if (!KEY.test(key))
      throw refused('USAGE', 'expected 1 to 200 printable characters without blanks', 'use a UUID.');
    const { state, clock } = this.pantau;
    const place = `${owner}/${keyDigest(key)}`;
    const digest = requestDigest(request, this.pantau.publicUrl);
    const now = clock.now();
    const known = await state.get(IDEMPOTENCY, place);
    if (known !== undefined && now - known.at <= REMEMBERED) return given(known, digest, reply);
    if (!this.#newKeys.of(owner, now).tryTake(now))
      throw new PantauError('OVERLOADED', `${MOST_KEYS} idempotency keys are remembered already.`, {
        remedy: 'Each is remembered for a day; use keys for what must not be done twice.',
        transient: true,
      });
    // One that is too old is taken over by one of those who send it again at the same instant.
    const taken = [IDEMPOTENCY.put(place, { at: now, digest })];
    if (!(await state.writeIf([IDEMPOTENCY.seen(place, known)], taken)))
      throw refused(
        'IDEMPOTENCY_CONFLICT',
        'a request with this key is being answered',
        'Wait for its answer.',
      );
    let answer: unknown;
    try {
      answer = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      // What is refused did nothing, so it may be tried again. What failed may have done it: the key stays taken.
      if (problemOf(error, request.url).status < 500) await state.write([IDEMPOTENCY.remove(place)]);
      throw error;
    }
    const isKept = this.reflector.get<boolean | undefined>(KEEPS_ANSWER, context.getHandler()) === true;
    const kept = isKept && answer !== undefined ? { answer: JSON.stringify(answer) } : {};
    await state.write([IDEMPOTENCY.put(place, { at: now, digest, status: reply.statusCode, ...kept })]);
    return answer;
  }
}

/** The answer of the first time. */
function given({ digest, status, answer }: Done, asked: string, reply: FastifyReply): unknown {
  if (digest !== asked)
    throw refused('IDEMPOTENCY_KEY_REUSED', 'another request had this key', 'Use a new key for each thing.');
  if (status === undefined)
    throw refused(
      'IDEMPOTENCY_CONFLICT',
      'a request with this key is being answered, or failed, or Pantau was ended amid it',
      'Look whether it was done; a new key does it again.',
    );
  if (answer === undefined)
    throw refused(
      'IDEMPOTENCY_CONFLICT',
      'it was done, and its answer is shown once',
      'A new key does it again.',
    );
  void reply.status(status).header(REPLAYED, 'true');
  // eslint-disable-next-line no-restricted-properties -- written here
  return JSON.parse(answer) as unknown;
}

/**
 * Of what is asked, keyed with the credential of whoever asks, of which only a digest is stored: a body may hold a password, which
 * nobody shall find by trying, with all that is stored in his hands. The same request of another session or token is another one.
 */
function requestDigest(request: AuthenticatedRequest, address: PublicAddress | undefined): string {
  const { method, url, body, headers } = request;
  const credential = headers.authorization ?? sessionCookie(request, address) ?? '';
  return createHmac('sha256', credential)
    .update(`${method} ${url}\n${JSON.stringify(body ?? null)}`)
    .digest('base64url');
}

function keyDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function refused(
  code: 'USAGE' | 'IDEMPOTENCY_CONFLICT' | 'IDEMPOTENCY_KEY_REUSED',
  message: string,
  remedy: string,
): PantauError {
  return new PantauError(code, `Idempotency-Key: ${message}.`, {
    remedy,
    fields: [{ field: 'Idempotency-Key', message }],
  });
}
