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

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#send('PUT', path, body);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#send('POST', path, body);
  }

  /** @throws PantauError `STORE_UNAVAILABLE` when nobody answers there, `USAGE` with the answer when it refuses */
  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const target = `${this.#url}/api/v1/${path}`;
    for (let attempt = 1; ; attempt++) {
      let response: Response;
      try {
        response = await fetch(target, {
          method,
          headers: {
            authorization: `Bearer ${this.#token}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (cause) {
        // Every request here may be repeated: they register and read.
        if (attempt < ATTEMPTS) {
          await delay(RETRY_MS * attempt);
          continue;
        }
        throw new PantauError('STORE_UNAVAILABLE', `no answer from ${target}: ${messageOf(cause)}`, {
          remedy: 'Start Pantau, or give its address with --api.',
          cause,
        });
      }
      if (response.ok) return (await response.json()) as T;
      const text = await response.text();
      const wait = Number(response.headers.get('retry-after') ?? NaN);
      if (response.status === 429 && attempt < ATTEMPTS) {
        await delay(Number.isFinite(wait) ? 1000 * wait : RETRY_MS * attempt);
        continue;
      }
      throw new PantauError(
        response.status === 401 || response.status === 403 ? 'TOKEN_INVALID' : 'USAGE',
        `${method} ${target} answers ${response.status}: ${text.slice(0, 500)}`,
        response.status === 401 || response.status === 403
          ? { remedy: 'Give a token of an administrator: pantau token create simulasi --role admin.' }
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
