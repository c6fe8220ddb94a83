import { messageOf, PantauError, type Millis } from '#libs/kernel';
import { setTimeout as delay } from 'node:timers/promises';

/** Pantau's public API, as an integrator calls it. */
export class PantauApi {
  readonly #url: string;
  readonly #token: string;

  /**
   * @param url - `http://host:port`, with the sub-path if there is one
   * @param token - of an administrator for registering, of any role for reading
   */
  constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<T> {
    const given = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value !== undefined) given.set(key, String(value));
    const text = given.toString();
    return this.#send('GET', text === '' ? path : `${path}?${text}`);
  }

  /** Server-sent events. @throws PantauError as the others */
  async stream(
    path: string,
    query: Readonly<Record<string, string>>,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const { body } = await this.#ask(`${path}?${new URLSearchParams(query).toString()}`, { headers, signal });
    if (body === null) throw new PantauError('STORE_UNAVAILABLE', `no events from ${this.#url}.`);
    return body;
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#send('PUT', path, body);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#send('POST', path, body);
  }

  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#ask(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await response.json()) as T;
  }

  /** @throws PantauError `STORE_UNAVAILABLE` when nobody answers there, `USAGE` with the answer when it refuses */
  async #ask(path: string, request: RequestInit): Promise<Response> {
    const target = `${this.#url}/api/v1/${path}`;
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${this.#token}`);
    for (let attempt = 1; ; attempt++) {
      let response: Response;
      try {
        response = await fetch(target, { ...request, headers });
      } catch (cause) {
        // Every request here may be repeated: they register and read.
        if (attempt < ATTEMPTS && request.signal?.aborted !== true) {
          await delay(RETRY_MS * attempt);
          continue;
        }
        throw new PantauError('STORE_UNAVAILABLE', `no answer from ${target}: ${messageOf(cause)}`, {
          remedy: 'Start Pantau, or give its address with --api.',
          cause,
        });
      }
      if (response.ok) return response;
      const text = await response.text();
      const wait = Number(response.headers.get('retry-after') ?? NaN);
      if (response.status === 429 && attempt < ATTEMPTS) {
        await delay(Number.isFinite(wait) ? 1000 * wait : RETRY_MS * attempt);
        continue;
      }
      throw new PantauError(
        response.status === 401 || response.status === 403 ? 'TOKEN_INVALID' : 'USAGE',
        `${request.method ?? 'GET'} ${target} answers ${response.status}: ${text.slice(0, 500)}`,
        response.status === 401 || response.status === 403
          ? { remedy: 'Give a token of an administrator: pantau token create simulasi --role administrator.' }
          : {},
      );
    }
  }
}

const ATTEMPTS = 6;
const RETRY_MS: Millis = 250;
/** Requests at a time. */
const AT_ONCE = 8;

/** Calls `work` for every item, some at a time. */
export async function forEachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
