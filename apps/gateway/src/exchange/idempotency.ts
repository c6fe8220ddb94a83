import { DAY, HOUR, PantauError } from '#libs/kernel';
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
import { createHash } from 'node:crypto';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { AuthenticatedRequest } from '../http/auth.js';
import { IDEMPOTENCY } from '../namespaces.js';
import type { Done } from './done.js';

const KEEPS_ANSWER = 'pantau:keeps-answer';
/** The answer holds no secret: it is kept, so that it can be given again. */
export const KeepsAnswer = (): CustomDecorator => SetMetadata(KEEPS_ANSWER, true);

/** How long a key is remembered. */
export const REMEMBERED = DAY;
/** Of one principal. */
const MOST_KEYS = 1_000;
const KEY = /^[\x21-\x7e]{1,200}$/;

/** A POST with `Idempotency-Key` does its thing once: sent again, it gets the answer of the first time. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor, OnModuleDestroy {
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
    const owner = digestOf(`${principal.kind} ${principal.name}`);
    return from(this.#once(String(key), owner, request, http.getResponse<FastifyReply>(), context, next));
  }

  /** Forgets the keys that are too old. */
  async forget(): Promise<void> {
    const now = this.pantau.clock.now();
    const all = await this.pantau.state.list(IDEMPOTENCY);
    const old = all.filter(({ value }) => now - value.at > REMEMBERED);
    await this.pantau.state.write(old.map(({ key }) => IDEMPOTENCY.remove(key)));
  }

  async #once(
    key: string,
    owner: string,
    { method, url, body }: AuthenticatedRequest,
    reply: FastifyReply,
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<unknown> {
    if (!KEY.test(key))
      throw refused('USAGE', 'expected 1 to 200 printable characters without blanks', 'use a UUID.');
    const { state, clock } = this.pantau;
    const place = `${owner}/${digestOf(key)}`;
    const digest = digestOf(`${method} ${url}\n${JSON.stringify(body ?? null)}`);
    const now = clock.now();
    const known = await state.get(IDEMPOTENCY, place);
    if (known !== undefined && now - known.at <= REMEMBERED) return given(known, digest, reply);
    const ofOwner = await state.list(IDEMPOTENCY, { prefix: `${owner}/`, limit: MOST_KEYS + 1 });
    if (ofOwner.filter(({ value }) => now - value.at <= REMEMBERED).length >= MOST_KEYS)
      throw new PantauError('OVERLOADED', `${MOST_KEYS} idempotency keys are remembered already.`, {
        remedy: 'Each is remembered for a day; use keys for what must not be done twice.',
        transient: true,
      });
    if (known !== undefined) await state.write([IDEMPOTENCY.remove(place)]);
    if (!(await state.putIfAbsent(IDEMPOTENCY, place, { at: now, digest })))
      throw refused(
        'IDEMPOTENCY_CONFLICT',
        'a request with this key is being answered',
        'Wait for its answer.',
      );
    let answer: unknown;
    try {
      answer = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      // It did nothing, so it may be tried again.
      await state.write([IDEMPOTENCY.remove(place)]);
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
      'a request with this key is being answered, or Pantau was ended amid it',
      'Look whether it was done; a new key does it again.',
    );
  if (answer === undefined)
    throw refused(
      'IDEMPOTENCY_CONFLICT',
      'it was done, and its answer is shown once',
      'A new key does it again.',
    );
  void reply.status(status).header('idempotency-replayed', 'true');
  // eslint-disable-next-line no-restricted-properties -- written here
  return JSON.parse(answer) as unknown;
}

function digestOf(text: string): string {
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
