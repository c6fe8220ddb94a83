import { messageOf, PantauError, type Millis } from '#libs/kernel';
import type { Parameter, QualityFlag } from '#libs/telemetry';
import { escape, HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client';
import { distinctPoints, faultOf, refuseFaulty } from './points.js';
import type { Point, PointQuery, TimeSeriesStore, WriteReport } from './time-series-store.js';

export interface InfluxStoreOptions {
  readonly url: string;
  readonly version: 1 | 2;
  /** Database (1.x) or bucket (2.x). */
  readonly database: string;
  /** 2.x. */
  readonly org?: string | undefined;
  readonly token?: string | undefined;
  /** 1.x with authentication. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly timeoutMs: Millis;
}

type Filter = Omit<PointQuery, 'limit' | 'order'>;
type Refused = WriteReport['refused'][number];

const MEASUREMENT = 'reading';
/** Lines in one request: the documentation's own optimum for writes. */
const LINES_PER_REQUEST = 5_000;

// What the client would print is in the errors that are thrown here.
setLogger({ error: () => undefined, warn: () => undefined });

/**
 * InfluxDB 1.x and 2.x. Writes go through the official client, reads through InfluxQL, which both versions speak.
 *
 * - The client's own retry buffer drops data when it is full or old, so it is off: a write resolves when InfluxDB has
 *   it. The journal is the retry buffer.
 * - Every field is a float, because a series whose first value was an integer refuses floats for ever.
 * - Measurement `reading`; tags device, site and parameter. The site is part of InfluxDB's series identity, so a device
 *   that moved keeps its readings under the site where it stood when it measured, and the same device, parameter and
 *   `ts` written under another site is a second point. The journal's entries carry the site with which they were
 *   accepted, so writing them again never does that.
 */
export class InfluxStore implements TimeSeriesStore {
  readonly #options: InfluxStoreOptions;
  readonly #client: InfluxDB;
  readonly #headers: Readonly<Record<string, string>>;
  /** Escaped line-protocol heads by series; their number is bounded by the registry. */
  readonly #heads = new Map<string, string>();
  #serverVersion: string;
  #closed = false;

  constructor(options: InfluxStoreOptions) {
    const { url, version, token, username, password, timeoutMs } = options;
    this.#options = options;
    this.#serverVersion = `${version}.x`;
    this.#headers =
      version === 2
        ? { authorization: `Token ${token ?? ''}` }
        : username === undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
    this.#client = new InfluxDB({ url, timeout: timeoutMs, headers: { ...this.#headers } });
  }

  /** The server's own version once it has answered a ping. */
  get description(): string {
    return `influxdb ${this.#serverVersion} at ${this.#options.url}, ${this.#options.database}`;
  }

  /**
   * Makes what reads need and is missing: the database (1.x), or the mapping that lets InfluxQL see the bucket (2.x,
   * whose later releases bring one by themselves). An account that may not make it is enough when it is there.
   *
   * @throws PantauError as {@link write}
   */
  async setUp(): Promise<void> {
    await this.ping();
    try {
      // One millisecond: the question is whether reading is possible, not what is there.
      await this.#select({ span: { from: 0, to: 1 } }, 'LIMIT 1');
    } catch (error) {
      if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') throw error;
      await (this.#options.version === 1 ? this.#createDatabase() : this.#mapBucket());
    }
  }

  /**
   * @throws PantauError `STORE_UNAVAILABLE` (transient) when InfluxDB does not answer or is overloaded,
   * `STORE_CONFIG` (transient too: an operator may put it right while data wait) when it refuses the credentials or
   * does not know the database
   */
  async write(points: readonly Point[]): Promise<WriteReport> {
    this.#assertOpen();
    const { accepted, refused } = refuseFaulty(points, (point) => faultOf(point) ?? tagFaultOf(point));
    const distinct = distinctPoints(accepted);
    const all: Refused[] = [...refused];
    for (let i = 0; i < distinct.length; i += LINES_PER_REQUEST) {
      all.push(...(await this.#writeOrSplit(distinct.slice(i, i + LINES_PER_REQUEST))));
    }
    return { refused: all };
  }

  async query(query: PointQuery): Promise<Point[]> {
    const { limit, order } = query;
    const rows = await this.#select(query, `ORDER BY time ${order} LIMIT ${Math.trunc(limit)}`);
    const last = rows.at(-1);
    if (rows.length < limit || last === undefined) return sorted(rows, order);
    // InfluxQL orders by time alone: take all points of the last instant, so that the cut at the limit is defined.
    const before = rows.filter((point) => point.ts !== last.ts);
    const ofLastInstant = await this.#select({ ...query, span: { from: last.ts, to: last.ts + 1 } }, '');
    return sorted([...before, ...ofLastInstant], order).slice(0, limit);
  }

  async count(query: Filter): Promise<number> {
    const rows = await this.#influxQl(`SELECT count(value) FROM ${MEASUREMENT}${conditions(query)}`);
    return Number(rows[0]?.['count'] ?? 0);
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    const { headers } = await this.#fetch('/ping', 'GET');
    this.#serverVersion = headers.get('x-influxdb-version') ?? this.#serverVersion;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('STORE_UNAVAILABLE', 'the time-series store was closed.');
  }

  #createDatabase(): Promise<unknown> {
    const name = this.#options.database.replace(/["\\]/g, '\\$&');
    return this.#influxQl(`CREATE DATABASE "${name}"`, 'POST');
  }

  async #mapBucket(): Promise<void> {
    const { database, org = '' } = this.#options;
    const parameters = new URLSearchParams({ org, name: database });
    const { body } = await this.#fetch(`/api/v2/buckets?${parameters.toString()}`, 'GET');
    const bucket = (body as { buckets?: readonly { id: string }[] }).buckets?.[0];
    if (bucket === undefined) {
      throw new PantauError('STORE_CONFIG', `InfluxDB has no bucket "${database}" in "${org}".`, {
        remedy: 'Create the bucket, or name an existing one in store.database.',
        transient: true,
      });
    }
    const mapping = { org, bucketID: bucket.id, database, retention_policy: 'autogen', default: true };
    await this.#fetch('/api/v2/dbrps', 'POST', mapping);
  }

  /** Writes the points; when InfluxDB refuses some of them, halves the batch until they are found. */
  async #writeOrSplit(points: readonly Point[]): Promise<Refused[]> {
    try {
      await this.#send(points);
      return [];
    } catch (error) {
      // 1.x answers 400 for points that it refuses, 2.x 422.
      if (!(error instanceof HttpError) || ![400, 413, 422].includes(error.statusCode))
        throw storeError(error, this.#options);
      const message = influxMessage(error);
      // All of them, as in a backlog that is older than the retention policy: no need to ask for each.
      const dropped = /\bdropped=(\d+)/.exec(message)?.[1];
      if (points.length === 1 || Number(dropped) === points.length)
        return points.map((point) => ({ point, message }));
      const half = Math.ceil(points.length / 2);
      return [
        ...(await this.#writeOrSplit(points.slice(0, half))),
        ...(await this.#writeOrSplit(points.slice(half))),
      ];
    }
  }

  async #send(points: readonly Point[]): Promise<void> {
    const { version, database, org = '' } = this.#options;
    const api = this.#client.getWriteApi(org, database, 'ms', {
      maxRetries: 0,
      flushInterval: 0,
      // One request a call: the client swallows the errors of requests that it starts by itself.
      batchSize: points.length + 1,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
    });
    if (version === 1) api.path = `/write?db=${encodeURIComponent(database)}&precision=ms`;
    api.writeRecords(points.map((point) => this.#line(point)));
    await api.flush();
  }

  #line({ site, device, parameter, ts, value, flag, receivedAt }: Point): string {
    const series = `${device}\u0000${site}\u0000${parameter}`;
    let head = this.#heads.get(series);
    if (head === undefined) {
      head = `${MEASUREMENT},device=${escape.tag(device)},parameter=${escape.tag(parameter)},site=${escape.tag(site)}`;
      this.#heads.set(series, head);
    }
    return `${head} flag=${flag},receivedAt=${receivedAt},value=${value} ${ts}`;
  }

  async #select(filter: Filter, tail: string): Promise<Point[]> {
    const rows = await this.#influxQl(
      `SELECT value, flag, receivedAt, device, parameter, site FROM ${MEASUREMENT}${conditions(filter)} ${tail}`,
    );
    return rows.map((row): Point => ({
      site: row['site'] as string,
      device: row['device'] as string,
      parameter: row['parameter'] as Parameter,
      ts: row['time'] as number,
      value: row['value'] as number,
      flag: row['flag'] as QualityFlag,
      receivedAt: row['receivedAt'] as number,
    }));
  }

  async #influxQl(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<Record<string, unknown>[]> {
    this.#assertOpen();
    const parameters = new URLSearchParams({ db: this.#options.database, epoch: 'ms', q: statement });
    const { body } = await this.#fetch(`/query?${parameters.toString()}`, method);
    const [result] = (body as InfluxQlAnswer).results ?? [];
    if (result?.error !== undefined) {
      throw new PantauError('STORE_CONFIG', `InfluxDB refuses a query: ${result.error}.`, {
        transient: true,
      });
    }
    const { columns = [], values = [] } = result?.series?.[0] ?? {};
    return values.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  }

  async #fetch(path: string, method: string, json?: unknown): Promise<{ headers: Headers; body: unknown }> {
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
      return { headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as unknown) };
    } catch (error) {
      throw storeError(error, this.#options);
    }
  }
}

interface InfluxQlAnswer {
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
  }[];
}

/** What no escaping can write into a tag of the line protocol. */
function tagFaultOf({ device, site, parameter }: Point): string | undefined {
  // A backslash at the end would swallow the separator and join two tags into one.
  const bad = [device, site, parameter].find((tag) => tag === '' || tag.endsWith('\\') || /[\n\r]/.test(tag));
  return bad === undefined ? undefined : `InfluxDB cannot hold the tag ${JSON.stringify(bad)}`;
}

function conditions({ site, device, parameter, span }: Filter): string {
  const parts: string[] = [];
  if (site !== undefined) parts.push(`site = ${quoted(site)}`);
  if (device !== undefined) parts.push(`device = ${quoted(device)}`);
  if (parameter !== undefined) parts.push(`parameter = ${quoted(parameter)}`);
  if (span !== undefined) parts.push(`time >= ${Math.trunc(span.from)}ms`, `time < ${Math.trunc(span.to)}ms`);
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** An InfluxQL string literal. */
function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
}

function sorted(points: readonly Point[], order: PointQuery['order']): Point[] {
  const sign = order === 'asc' ? 1 : -1;
  return points.toSorted(
    (a, b) => sign * (a.ts - b.ts) || compare(a.device, b.device) || compare(a.parameter, b.parameter),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What InfluxDB said, without the client's words around it. */
function influxMessage(error: HttpError): string {
  try {
    const body = JSON.parse(error.body ?? '') as { error?: string; message?: string };
    return body.error ?? body.message ?? error.message;
  } catch {
    return error.message;
  }
}

function storeError(error: unknown, { url, database }: InfluxStoreOptions): PantauError {
  if (error instanceof HttpError && [400, 401, 403, 404].includes(error.statusCode)) {
    return new PantauError(
      'STORE_CONFIG',
      `InfluxDB at ${url} answers ${error.statusCode}: ${influxMessage(error)}.`,
      {
        remedy: `Check the token or password and that "${database}" exists.`,
        transient: true,
        cause: error,
      },
    );
  }
  return new PantauError('STORE_UNAVAILABLE', `InfluxDB at ${url} is not available: ${messageOf(error)}.`, {
    remedy: 'Readings wait in the journal until it is back.',
    transient: true,
    cause: error,
  });
}
