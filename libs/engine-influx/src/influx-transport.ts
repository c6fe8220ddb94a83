import { PantauError } from '#libs/kernel';
import { HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client';
import { refusedStatement, storeError } from './influx-errors.js';
import { bucketName, type InfluxStoreOptions, type Place } from './influx-options.js';

// What the client would print is in the errors that are thrown here.
setLogger({ error: () => undefined, warn: () => undefined });

/**
 * What goes over the wire: lines through the official client, statements of InfluxQL and calls of the API through `fetch`.
 *
 * The client's own retry buffer drops data when it is full or old, so it is off: a write resolves when InfluxDB has it.
 */
export class InfluxTransport {
  readonly #options: InfluxStoreOptions;
  readonly #client: InfluxDB;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isLocal: boolean;
  #closed = false;

  constructor(options: InfluxStoreOptions) {
    const { url, version, token, username, password, timeoutMs } = options;
    this.#options = options;
    this.#isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
    this.#headers =
      version === 2
        ? { authorization: `Token ${token ?? ''}` }
        : username === undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
    this.#client = new InfluxDB({ url, timeout: timeoutMs, headers: { ...this.#headers } });
  }

  /** @throws PantauError `STORE_UNAVAILABLE` after {@link close} */
  assertOpen(): void {
    if (this.#closed) throw new PantauError('STORE_UNAVAILABLE', 'the time-series store was closed.');
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Writes lines. A refusal of the lines themselves is the client's `HttpError`.
   *
   * @param block - lines, of which the client is told as one: it keeps books on every record that it is given
   */
  async send(place: Place, block: string): Promise<void> {
    const { version, database, org = '' } = this.#options;
    const api = this.#client.getWriteApi(org, bucketName(this.#options, place), 'ms', {
      maxRetries: 0,
      flushInterval: 0,
      // One request a call: the client swallows the errors of requests that it starts by itself.
      batchSize: 2,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
      // Within a machine, packing and unpacking costs both sides more than the bytes do.
      ...(this.#isLocal ? { gzipThreshold: Infinity } : {}),
    });
    if (version === 1) {
      const policy = place === 'raw' ? '' : `&rp=${place}`;
      api.path = `/write?db=${encodeURIComponent(database)}${policy}&precision=ms`;
    }
    api.writeRecord(block);
    await api.flush();
  }

  /** @returns the rows of an answer that is not grouped */
  async influxQl(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<Record<string, unknown>[]> {
    const [series] = await this.ask(statement, method);
    const { columns = [], values = [] } = series ?? {};
    return values.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  }

  /** @returns the series of an answer, one where it is not grouped */
  async ask(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<readonly AnsweredSeries[]> {
    this.assertOpen();
    const parameters = new URLSearchParams({ db: this.#options.database, epoch: 'ms', q: statement });
    const { body } = await this.fetch(`/query?${parameters.toString()}`, method);
    const [result] = (body as InfluxQlAnswer).results ?? [];
    if (result?.error !== undefined) throw refusedStatement(result.error, this.#options);
    if (result?.partial === true) {
      throw new PantauError('STORE_CONFIG', 'InfluxDB answers with a part of what it was asked for.', {
        remedy: 'Set max-row-limit = 0 in its configuration.',
        transient: true,
      });
    }
    return result?.series ?? [];
  }

  async fetch(path: string, method: string, json?: unknown): Promise<{ headers: Headers; body: unknown }> {
    const { url, timeoutMs } = this.#options;
    try {
      // Not `new URL(path, url)`: that would lose the path of an InfluxDB behind a proxy.
      const response = await fetch(url.replace(/\/$/, '') + path, {
        method,
        headers:
          json === undefined ? this.#headers : { ...this.#headers, 'content-type': 'application/json' },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (!response.ok) throw new HttpError(response.status, response.statusText, text);
      // eslint-disable-next-line no-restricted-properties -- the answer of our own store, as large as the question asks for
      return { headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as unknown) };
    } catch (error) {
      throw storeError(error, this.#options);
    }
  }
}

interface InfluxQlAnswer {
  readonly results?: readonly {
    readonly error?: string;
    readonly partial?: boolean;
    readonly series?: readonly AnsweredSeries[];
  }[];
}

export interface AnsweredSeries {
  /** What the answer is grouped by. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}
