import { client } from '../../client/client.gen';
import { base } from '../core/base';
import { clock } from '../core/clock.svelte';
import { language } from '../core/language.svelte';
import { ProblemError, problemFrom } from './problem';

/** What a request needs to know of the session, and tells it. */
export const authority = {
  csrfToken: '',
  /** The API does not know who asks. */
  refused: (): void => undefined,
};

/** A proxy that hangs must not make a page that waits for ever. */
const LONGEST = 30_000;

/** `fetch` as every request of the page is made: in the reader's language, with the token of the session, and not for ever. */
export async function request(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const asked = new Request(input, init);
  asked.headers.set('accept-language', language.code);
  if (!['GET', 'HEAD'].includes(asked.method) && authority.csrfToken !== '')
    asked.headers.set('x-csrf-token', authority.csrfToken);
  const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(LONGEST)]);
  const response = await fetch(new Request(asked, { signal }));
  clock.set(Date.parse(response.headers.get('date') ?? ''));
  if (response.status === 401) {
    const { code } = problemFrom(
      401,
      await response
        .clone()
        .json()
        .catch(() => null),
    );
    // Somebody who signs in and mistypes is told so; his session, if any, goes on.
    if (code !== 'SIGN_IN_REFUSED' && code !== 'SECOND_FACTOR_NEEDED') authority.refused();
  }
  return response;
}

client.setConfig({ baseUrl: new URL(base, location.href).href.replace(/\/$/, ''), fetch: request });

export interface Answered<T> {
  readonly data?: T | undefined;
  readonly error?: unknown;
  readonly response?: Response | undefined;
}

/** What a call of the generated client answers. @throws ProblemError */
export async function answer<T>(call: Promise<Answered<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  if (response?.ok === true && data !== undefined && data !== null) return data;
  if (response === undefined) throw error instanceof Error ? error : new Error('no answer');
  throw new ProblemError(problemFrom(response.status, error));
}
