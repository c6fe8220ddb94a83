import { messageOf, PantauError, parseJson, REQUEST_BOUNDS } from '#libs/kernel';
import { HttpError } from '@influxdata/influxdb-client';

interface Target {
  readonly url: string;
  readonly database: string;
}

/** Whatever was thrown while InfluxDB was asked, by its cause: the question, the access or the set-up, or the server itself. */
export function storeError(error: unknown, target: Target): PantauError {
  if ((error as { readonly name?: unknown }).name === 'TimeoutError') {
    return new PantauError('STORE_UNAVAILABLE', `InfluxDB at ${target.url} does not answer in time.`, {
      remedy: 'If it is up, ask for less, or raise store.timeout; readings wait in the journal meanwhile.',
      transient: true,
      cause: error,
    });
  }
  if (!(error instanceof HttpError)) return unavailable(messageOf(error), target, error);
  const { statusCode } = error;
  const words = influxMessage(error);
  const told = `answers ${statusCode}: ${words}`;
  if ([401, 403, 404].includes(statusCode) || SET_UP.test(words)) return wrongSetUp(told, target, error);
  if ([400, 413, 414, 422].includes(statusCode) || QUESTION.test(words))
    return badQuestion(told, target, error);
  return unavailable(told, target, error);
}

/** As {@link storeError}, of the words with which InfluxQL refuses a statement in an answer of status 200. */
export function refusedStatement(words: string, target: Target): PantauError {
  const told = `refuses a query: ${words}`;
  if (SET_UP.test(words)) return wrongSetUp(told, target);
  if (QUESTION.test(words)) return badQuestion(told, target);
  return unavailable(told, target);
}

/** Whatever was thrown while it was asked what is stored already: readings wait until InfluxDB can say it, they are at no fault. */
export function beforeWriting(error: unknown): unknown {
  if (!(error instanceof PantauError) || error.code !== 'STORE_QUESTION') return error;
  return new PantauError('STORE_CONFIG', `InfluxDB cannot say what is stored: ${error.detail}`, {
    remedy: 'Raise the limits of its section [coordinator]; 0 is none.',
    transient: true,
    cause: error,
  });
}

/** What InfluxDB said, without the client's words around it. */
export function influxMessage(error: HttpError): string {
  try {
    const body = parseJson(error.body ?? '', REQUEST_BOUNDS) as { error?: string; message?: string };
    return body.error ?? body.message ?? error.message;
  } catch {
    return error.message;
  }
}

/** Rights, and what an administrator has not made yet. */
const SET_UP =
  /authori[sz]|authenticat|credential|privilege|permission|(database|retention policy|bucket|dbrp mapping).*not found|no dbrp mapping/i;

/** A statement that cannot be read or computed, and the limits of `[coordinator]` on what one may cost. */
const QUESTION =
  /error parsing|max-select-\w+ limit exceeded|query-timeout limit exceeded|overflow|time outside range|invalid operation|not supported|unsupported|undefined/i;

function wrongSetUp(told: string, { url, database }: Target, cause?: unknown): PantauError {
  return new PantauError('STORE_CONFIG', `InfluxDB at ${url} ${told}.`, {
    remedy: `Check the token or password and that "${database}" exists.`,
    transient: true,
    cause,
  });
}

function badQuestion(told: string, { url }: Target, cause?: unknown): PantauError {
  return new PantauError('STORE_QUESTION', `InfluxDB at ${url} ${told}.`, {
    remedy: 'Ask for less: a shorter time, one device, one parameter.',
    cause,
  });
}

function unavailable(told: string, { url }: Target, cause?: unknown): PantauError {
  return new PantauError('STORE_UNAVAILABLE', `InfluxDB at ${url} is not available: ${told}.`, {
    remedy: 'Readings wait in the journal until it is back.',
    transient: true,
    cause,
  });
}
