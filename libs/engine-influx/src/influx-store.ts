import { DAY, HOUR, PantauError, type Millis, type UtcMillis } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter, type Rollup } from '#libs/telemetry';
import { escape, HttpError, InfluxDB, setLogger } from '@influxdata/influxdb-client';
import { beforeWriting, influxMessage, refusedStatement, storeError } from './influx-errors.js';
import { fieldOf, judgementIn, READING_NAMES, readingFields } from './influx-readings.js';
import {
  instantsOf,
  LATER_FIGURES,
  laterFigures,
  setFaultyAside,
  setFaultyRollupsAside,
  type Instant,
  KEEP_EVERYTHING,
  retentionText,
  TIER_LENGTH,
  TIERS,
  type StoreRetention,
  type Tier,
  pointOf,
  type Point,
  type PointQuery,
  type RollupQuery,
  type StorableObservation,
  type TimeSeriesStore,
  type WriteReport,
} from '#libs/timeseries';

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
  /** Everything is kept by default. */
  readonly retention?: StoreRetention;
}

/** Readings or one tier of roll-ups: what has a retention policy (1.x) or a bucket (2.x) of its own. */
type Place = keyof StoreRetention;

type Filter = Omit<PointQuery, 'limit' | 'order'>;

/** How a place is laid out. */
interface Layout {
  /** As InfluxQL names it. Readings are in the database's default retention policy. */
  readonly from: string;
  /** What is kept for each parameter. */
  readonly names: readonly string[];
  /** The one of them that is always there. */
  readonly present: string;
  /** Fields of a point beside those of its parameters. */
  readonly shared: readonly string[];
}

const ROLLUP_NAMES = {
  names: ['expected', 'received', 'valid', 'mean', 'min', 'max', ...LATER_FIGURES],
  present: 'received',
  shared: [],
} as const;
const LAYOUTS: Readonly<Record<Place, Layout>> = {
  raw: { from: 'reading', names: READING_NAMES, present: 'value', shared: ['receivedAt'] },
  hour: { from: '"hour"."rollup_hour"', ...ROLLUP_NAMES },
  day: { from: '"day"."rollup_day"', ...ROLLUP_NAMES },
};

/**
 * InfluxDB opens a file per shard and expires whole ones, so a sparse tier that is kept for ever wants long shards, and a
 * short retention wants short ones.
 */
const LONGEST_SHARD: Readonly<Record<Place, Millis>> = { raw: 7 * DAY, hour: 91 * DAY, day: 1_456 * DAY };
const SHARDS_KEPT = 8;

/** Lines in one request, a line a device and instant: the documentation's own optimum for writes. */
const LINES_PER_REQUEST = 5_000;

/**
 * How far before an arrival InfluxDB is asked for the newest reading of every device, which costs it a look into every shard of
 * that time for each of them. It is how long by default a device may keep a reading to itself.
 */
const LOOK_BACK = 30 * DAY;

// What the client would print is in the errors that are thrown here.
setLogger({ error: () => undefined, warn: () => undefined });

/**
 * InfluxDB 1.x and 2.x. Writes go through the official client, reads through InfluxQL, which both versions speak.
 *
 * - The client's own retry buffer drops data when it is full or old, so it is off: a write resolves when InfluxDB has
 *   it. The journal is the retry buffer.
 * - Every field is a float, because a series whose first value was an integer refuses floats for ever.
 * - Roll-ups are in a retention policy each, `hour` and `day`, with measurements `rollup_hour` and `rollup_day`; in 2.x a
 *   retention policy is a bucket, `<database>_hour` and `<database>_day`, mapped for InfluxQL under the same name.
 * - Measurement `reading`; tags device and site; for each parameter a field of its name and one with its flag, `pm25` and
 *   `pm25_flag`, with `pm25_failed` beside a flag of 3 or 4: which tests failed, a bit each, and `pm25_doubt`: the device's own words; and `receivedAt`. So a device is one series, and what it measured at one instant one line. InfluxDB merges
 *   the fields of equal series and time: a later message of the same instant replaces what it names and leaves the rest.
 *   Roll-ups likewise: `pm25_expected`, `pm25_mean` and so on.
 * - A reading without a flag beside it has passed, which is 1, so most messages cost little more than half of the fields.
 *   A 1 is left out only at an instant newer than all that is stored of the device, so that no flag can stand there; it is
 *   written for what is late, repeated or judged again. For that InfluxDB is asked once, before the first write, and from
 *   then on each device must have this store as its only writer, as the shards of the journal see to. Whoever else writes
 *   flags into the measurement must write `receivedAt` with them.
 * - The site is part of InfluxDB's series identity, so a device that moved keeps its readings under the site where it
 *   stood when it measured, and the same device, parameter and `ts` written under another site is a second point. The
 *   journal's entries carry the site with which they were accepted, so writing them again never does that.
 */
export class InfluxStore implements TimeSeriesStore {
  readonly #options: InfluxStoreOptions;
  readonly #client: InfluxDB;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #newest = new NewestInstants();
  readonly #readings = new LineFormat<StorableObservation>('raw', 'reading', (line) =>
    readingFields(line, this.#newest.advance(line)),
  );
  readonly #rollups: Readonly<Record<Tier, LineFormat<Instant<Rollup>>>> = {
    hour: new LineFormat('hour', 'rollup_hour', rollupFields),
    day: new LineFormat('day', 'rollup_day', rollupFields),
  };
  readonly #isLocal: boolean;
  #serverVersion: string;
  #newestAsked: Promise<void> | undefined;
  #closed = false;

  constructor(options: InfluxStoreOptions) {
    const { url, version, token, username, password, timeoutMs } = options;
    this.#options = options;
    this.#isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
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
   * Makes what is missing, the database or buckets with what lets InfluxQL see them, and sets the retention. An account
   * that may do nothing of this is enough when everything is as configured.
   *
   * @throws PantauError as {@link write}, and `STORE_CONFIG` with both values when the retention is not as configured and
   * may not be changed
   */
  async setUp(): Promise<readonly string[]> {
    await this.ping();
    const made = await this.#makeReadable('raw', () =>
      this.#options.version === 1 ? this.#createDatabase() : this.#mapBucket('raw'),
    );
    const changes = this.#options.version === 1 ? await this.#setPolicies() : await this.#setBuckets();
    return [...made, ...changes];
  }

  /**
   * @throws PantauError `STORE_UNAVAILABLE` (transient) when InfluxDB does not answer or is overloaded,
   * `STORE_CONFIG` (transient too: an operator may put it right while data wait) when it refuses the credentials,
   * does not know the database or cannot say through InfluxQL what is stored already
   */
  async write(observations: readonly StorableObservation[]): Promise<WriteReport> {
    this.#assertOpen();
    const { accepted, refused } = setFaultyAside(observations, (of) => this.#readings.tagFaultOf(of));
    const [first] = accepted;
    if (first === undefined) return { refused };
    await this.#knowNewest(first.receivedAt);
    const refusedThere = await this.#writeAll(this.#readings, accepted);
    const points = refusedThere.flatMap(({ line, message }) =>
      line.readings.map((reading) => ({ point: pointOf(line, reading), message })),
    );
    return { refused: [...refused, ...points] };
  }

  async writeRollups(rollups: readonly Rollup[]): Promise<WriteReport<Rollup>> {
    this.#assertOpen();
    const { accepted, refused } = setFaultyRollupsAside(rollups, (rollup) =>
      this.#rollups[rollup.tier].tagFaultOf(rollup),
    );
    const all = [...refused];
    for (const tier of TIERS) {
      const refusedThere = await this.#writeAll(this.#rollups[tier], instantsOf(accepted, tier));
      for (const { line, message } of refusedThere)
        all.push(...line.readings.map((point) => ({ point, message })));
    }
    return { refused: all };
  }

  async query(query: PointQuery): Promise<Point[]> {
    const rows = await this.#selectOrdered('raw', query);
    return rows.map(({ parameter, line }): Point => ({
      site: line.site,
      device: line.device,
      parameter,
      ts: line.time,
      value: line[fieldOf(parameter, 'value')] as number,
      ...judgementIn(line, parameter),
      receivedAt: line['receivedAt'] as number,
    }));
  }

  async queryRollups(query: RollupQuery): Promise<Rollup[]> {
    const { tier } = query;
    const rows = await this.#selectOrdered(tier, query);
    return rows.map(({ parameter, line }): Rollup => {
      const number = (name: string): number => line[fieldOf(parameter, name)] as number;
      const valid = number('valid');
      const figure = (name: string): number | null => (valid === 0 ? null : number(name));
      const later = LATER_FIGURES.map((name) => line[fieldOf(parameter, name)] as number | null | undefined);
      return {
        site: line.site,
        device: line.device,
        parameter,
        tier,
        from: line.time,
        to: line.time + TIER_LENGTH[tier],
        expected: number('expected'),
        received: number('received'),
        valid,
        mean: figure('mean'),
        min: figure('min'),
        max: figure('max'),
        ...laterFigures(later),
      };
    });
  }

  count(query: Filter): Promise<number> {
    return this.#count('raw', query);
  }

  countRollups(query: Omit<RollupQuery, 'limit' | 'order'>): Promise<number> {
    return this.#count(query.tier, query);
  }

  /** InfluxDB does it by itself, a shard at a time. */
  expire(): Promise<number> {
    return Promise.resolve(0);
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

  /** The retention of a place as InfluxDB shall have it. */
  #kept(place: Place): Millis {
    return (this.#options.retention ?? KEEP_EVERYTHING)[place];
  }

  #bucketName(place: Place): string {
    const { database } = this.#options;
    return place === 'raw' ? database : `${database}_${place}`;
  }

  /** Makes a place visible to InfluxQL unless it is. */
  async #makeReadable(place: Place, make: () => Promise<unknown>): Promise<string[]> {
    try {
      // One millisecond: the question is whether reading is possible, not what is there.
      await this.#influxQl(`SELECT * FROM ${LAYOUTS[place].from} WHERE time >= 0 AND time < 1ms LIMIT 1`);
      return [];
    } catch (error) {
      if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') throw error;
      await make();
      return [`made "${this.#bucketName(place)}" readable`];
    }
  }

  #createDatabase(): Promise<unknown> {
    return this.#influxQl(`CREATE DATABASE ${identifier(this.#options.database)}`, 'POST');
  }

  /** 1.x: a retention policy a tier, and the default one for the readings. */
  async #setPolicies(): Promise<string[]> {
    const database = identifier(this.#options.database);
    const policies = await this.#influxQl(`SHOW RETENTION POLICIES ON ${database}`);
    const changes: string[] = [];
    for (const place of ['raw', ...TIERS] as const) {
      const existing = policies.find((policy) =>
        place === 'raw' ? policy['default'] === true : policy['name'] === place,
      );
      const kept = existing === undefined ? undefined : goDuration(existing['duration'] as string);
      if (kept === this.#kept(place)) continue;
      const name = identifier((existing?.['name'] as string | undefined) ?? place);
      const [verb, replication] = existing === undefined ? ['CREATE', 'REPLICATION 1 '] : ['ALTER', ''];
      const statement = `${verb} RETENTION POLICY ${name} ON ${database} DURATION ${influxDuration(this.#kept(place))} ${replication}SHARD DURATION ${influxDuration(shardDuration(place, this.#kept(place)))}`;
      changes.push(
        await this.#changeRetention(place, kept, `an administrator can run: ${statement}`, () =>
          this.#influxQl(statement, 'POST'),
        ),
      );
    }
    return changes;
  }

  /** 2.x: a bucket a tier. */
  async #setBuckets(): Promise<string[]> {
    const raw = await this.#bucketOfReadings();
    const changes: string[] = [];
    for (const place of ['raw', ...TIERS] as const) {
      const bucket = place === 'raw' ? raw : await this.#bucket(this.#bucketName(place));
      const kept = bucket === undefined ? undefined : bucketRetention(bucket);
      if (kept !== this.#kept(place)) {
        // Zero is for ever.
        const everySeconds = this.#kept(place) === Infinity ? 0 : this.#kept(place) / 1_000;
        const retentionRules = [{ type: 'expire', everySeconds }];
        const name = this.#bucketName(place);
        const remedy = `the bucket "${name}" needs a retention of ${everySeconds} seconds (0: for ever)`;
        changes.push(
          await this.#changeRetention(place, kept, remedy, () =>
            bucket === undefined
              ? this.#fetch('/api/v2/buckets', 'POST', { orgID: raw.orgID, name, retentionRules })
              : this.#fetch(`/api/v2/buckets/${bucket.id}`, 'PATCH', { retentionRules }),
          ),
        );
      }
      if (place !== 'raw') changes.push(...(await this.#makeReadable(place, () => this.#mapBucket(place))));
    }
    return changes;
  }

  async #changeRetention(
    place: Place,
    kept: Millis | undefined,
    remedy: string,
    change: () => Promise<unknown>,
  ): Promise<string> {
    const wanted = `store.retention.${place} is ${retentionText(this.#kept(place))}`;
    const found =
      kept === undefined
        ? `InfluxDB has no place for "${place}" yet`
        : `the retention of "${place}" in InfluxDB is ${retentionText(kept)}`;
    try {
      await change();
    } catch (error) {
      if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') throw error;
      throw new PantauError(
        'STORE_CONFIG',
        `${found}, ${wanted}, and it may not be changed: ${error.detail}`,
        {
          remedy: `Change the setting, or give the account the right to: ${remedy}.`,
          transient: true,
          cause: error,
        },
      );
    }
    return `${found}; set, because ${wanted}`;
  }

  async #bucket(name: string): Promise<Bucket | undefined> {
    const parameters = new URLSearchParams({ org: this.#options.org ?? '', name });
    const { body } = await this.#fetch(`/api/v2/buckets?${parameters.toString()}`, 'GET');
    return (body as { buckets?: readonly Bucket[] }).buckets?.[0];
  }

  async #bucketOfReadings(): Promise<Bucket> {
    const { database, org = '' } = this.#options;
    const bucket = await this.#bucket(database);
    if (bucket === undefined) {
      throw new PantauError('STORE_CONFIG', `InfluxDB has no bucket "${database}" in "${org}".`, {
        remedy: 'Create the bucket, or name an existing one in store.database.',
        transient: true,
      });
    }
    return bucket;
  }

  async #mapBucket(place: Place): Promise<void> {
    const { database, org = '' } = this.#options;
    const bucket =
      place === 'raw' ? await this.#bucketOfReadings() : await this.#bucket(this.#bucketName(place));
    await this.#fetch('/api/v2/dbrps', 'POST', {
      org,
      bucketID: bucket?.id,
      database,
      retention_policy: place === 'raw' ? 'autogen' : place,
      default: place === 'raw',
    });
  }

  /** Resolves when it is known what InfluxDB holds. A failure is one of the write that waits for it, and the next one asks again. */
  #knowNewest(receivedAt: UtcMillis): Promise<void> {
    this.#newestAsked ??= this.#askNewest(receivedAt - LOOK_BACK).catch((error: unknown) => {
      this.#newestAsked = undefined;
      throw beforeWriting(error);
    });
    return this.#newestAsked;
  }

  async #askNewest(from: UtcMillis): Promise<void> {
    const { from: readings } = LAYOUTS.raw;
    const series = await this.#ask(
      `SELECT last("receivedAt") FROM ${readings} WHERE time >= ${from}ms GROUP BY "device"`,
    );
    this.#newest.begin(
      from,
      series.map(({ tags, values }) => ({ device: tags?.['device'] ?? '', ts: values[0]?.[0] as UtcMillis })),
    );
  }

  async #writeAll<L extends Instant>(format: LineFormat<L>, lines: readonly L[]): Promise<RefusedLine<L>[]> {
    const refused: RefusedLine<L>[] = [];
    const inOrder = bySeries(lines);
    for (let i = 0; i < inOrder.length; i += LINES_PER_REQUEST)
      refused.push(...(await this.#writeOrSplit(format, inOrder.slice(i, i + LINES_PER_REQUEST))));
    return refused;
  }

  /**
   * Writes the lines; when InfluxDB refuses some of them, halves the batch until they are found. In order of time, because
   * what it refuses lies together there: the type of a field holds for a shard, which is a span of time, and so does
   * retention. Lines that are refused altogether are written again parameter by parameter, because for one field in conflict
   * InfluxDB refuses the line. That makes a few requests of what could be one for every value.
   */
  async #writeOrSplit<L extends Instant>(
    format: LineFormat<L>,
    lines: readonly L[],
  ): Promise<RefusedLine<L>[]> {
    try {
      await this.#send(format.place, format.block(lines));
      return [];
    } catch (error) {
      // 1.x answers 400 for points that it refuses, 2.x 422.
      if (!(error instanceof HttpError) || ![400, 413, 422].includes(error.statusCode))
        throw storeError(error, this.#options);
      const message = influxMessage(error);
      const dropped = Number(/\bdropped=(\d+)/.exec(message)?.[1]);
      const areAllRefused = lines.length === 1 || dropped === lines.length;
      if (areAllRefused && lines.every(({ readings }) => readings.length === 1))
        return lines.map((line) => ({ line, message }));
      const refused: RefusedLine<L>[] = [];
      for (const part of areAllRefused ? byParameter(lines) : halves(lines))
        refused.push(...(await this.#writeOrSplit(format, part)));
      return refused;
    }
  }

  /** @param block - lines, of which the client is told as one: it keeps books on every record that it is given */
  async #send(place: Place, block: string): Promise<void> {
    const { version, database, org = '' } = this.#options;
    const api = this.#client.getWriteApi(org, this.#bucketName(place), 'ms', {
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

  async #count(place: Place, filter: Filter): Promise<number> {
    const { from, present } = LAYOUTS[place];
    const counts = parametersOf(filter).map(
      (parameter) => `count(${identifier(fieldOf(parameter, present))})`,
    );
    const [row] = await this.#influxQl(`SELECT ${counts.join(', ')} FROM ${from}${conditions(filter)}`);
    const counted = Object.entries(row ?? {}).filter(([column]) => column !== 'time');
    return counted.reduce((sum, [, count]) => sum + Number(count ?? 0), 0);
  }

  async #selectOrdered(place: Place, query: PointQuery): Promise<Row[]> {
    const { limit, order } = query;
    // As many lines as rows are wanted: each has at least one.
    const rows = await this.#select(place, query, ` ORDER BY time ${order} LIMIT ${Math.trunc(limit)}`);
    const last = rows.at(-1);
    if (rows.length < limit || last === undefined) return sorted(rows, order);
    // InfluxQL orders by time alone: take all rows of the last instant, so that the cut at the limit is defined.
    const before = rows.filter(({ line }) => line.time !== last.line.time);
    const instant = { from: last.line.time, to: last.line.time + 1 };
    const ofLastInstant = await this.#select(place, { ...query, span: instant }, '');
    return sorted([...before, ...ofLastInstant], order).slice(0, limit);
  }

  /** @returns a row for each parameter in a line; lines without any, which others may have written, are not asked for */
  async #select(place: Place, filter: Filter, tail: string): Promise<Row[]> {
    const { from, names, present, shared } = LAYOUTS[place];
    const parameters = parametersOf(filter);
    const fields = parameters.flatMap((parameter) => names.map((name) => fieldOf(parameter, name)));
    const columns = [...fields, ...shared, 'device', 'site'].map(identifier).join(', ');
    // InfluxQL has no other way to ask whether a field is there.
    const isPresent = parameters
      .map((parameter) => identifier(fieldOf(parameter, present)))
      .map((field) => `${field} >= 0 OR ${field} < 0`);
    const where = conditions(filter, `(${isPresent.join(' OR ')})`);
    const lines = (await this.#influxQl(`SELECT ${columns} FROM ${from}${where}${tail}`)) as Line[];
    return lines.flatMap((line) =>
      parameters
        .filter((parameter) => typeof line[fieldOf(parameter, present)] === 'number')
        .map((parameter) => ({ parameter, line })),
    );
  }

  /** @returns the rows of an answer that is not grouped */
  async #influxQl(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<Record<string, unknown>[]> {
    const [series] = await this.#ask(statement, method);
    const { columns = [], values = [] } = series ?? {};
    return values.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  }

  async #ask(statement: string, method: 'GET' | 'POST' = 'GET'): Promise<readonly AnsweredSeries[]> {
    this.#assertOpen();
    const parameters = new URLSearchParams({ db: this.#options.database, epoch: 'ms', q: statement });
    const { body } = await this.#fetch(`/query?${parameters.toString()}`, method);
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

interface AnsweredSeries {
  /** What the answer is grouped by. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

type Series = Pick<Point, 'device' | 'site'>;

/** A line with one reading, and InfluxDB's words. */
interface RefusedLine<L> {
  readonly line: L;
  readonly message: string;
}

interface Head {
  readonly site: string;
  readonly text: string;
}

/** How one measurement is written in the line protocol. */
class LineFormat<L extends Instant> {
  /** What a line begins with, escaped once a series, by device; bounded by the registry. */
  readonly #heads = new Map<string, Head>();

  constructor(
    readonly place: Place,
    private readonly measurement: string,
    private readonly fieldsOf: (line: L) => string,
  ) {}

  /** What no escaping can write into a tag. */
  tagFaultOf(series: Series): string | undefined {
    // A series that has a head was looked at before.
    return this.#known(series) === undefined ? tagFaultOf(series) : undefined;
  }

  block(lines: readonly L[]): string {
    return lines.map((line) => `${this.#headOf(line)} ${this.fieldsOf(line)} ${line.ts}`).join('\n');
  }

  #headOf(series: Series): string {
    const known = this.#known(series);
    if (known !== undefined) return known;
    const { site, device } = series;
    const text = `${this.measurement},device=${escape.tag(device)},site=${escape.tag(site)}`;
    this.#heads.set(device, { site, text });
    return text;
  }

  #known({ site, device }: Series): string | undefined {
    const known = this.#heads.get(device);
    return known?.site === site ? known.text : undefined;
  }
}

/** The newest instant of each device, over all its sites: a flag can stand there and before. Bounded by the devices in the database. */
class NewestInstants {
  // Objects, because a number that a Map holds would be made anew for every line.
  readonly #byDevice = new Map<string, { ts: UtcMillis }>();
  /** A device that is not among the known ones has nothing from here on. */
  #from: UtcMillis = Infinity;

  /** @param stored - the newest instant of each device that has one at or after `from` */
  begin(from: UtcMillis, stored: readonly Pick<Instant, 'device' | 'ts'>[]): void {
    this.#from = from;
    for (const instant of stored) this.advance(instant);
  }

  /**
   * Takes note of an instant that is about to be written. Before it is known whether the write succeeds, so whatever is written
   * again is not the newest.
   *
   * @returns whether it is newer than all before it
   */
  advance({ device, ts }: Pick<Instant, 'device' | 'ts'>): boolean {
    let newest = this.#byDevice.get(device);
    if (newest === undefined) this.#byDevice.set(device, (newest = { ts: this.#from - 1 }));
    if (ts <= newest.ts) return false;
    newest.ts = ts;
    return true;
  }
}

/** What InfluxQL answers of a point: its time, its tags and the fields that were asked for. */
interface Line extends Series, Record<string, unknown> {
  readonly time: number;
}

/** What a line holds of one parameter. */
interface Row {
  readonly parameter: Parameter;
  readonly line: Line;
}

/** A bucket of 2.x. */
interface Bucket {
  readonly id: string;
  readonly orgID?: string;
  readonly retentionRules?: readonly { readonly type?: string; readonly everySeconds?: number }[];
}

function bucketRetention({ retentionRules = [] }: Bucket): Millis {
  const seconds = retentionRules.find(({ type = 'expire' }) => type === 'expire')?.everySeconds ?? 0;
  return seconds === 0 ? Infinity : seconds * 1_000;
}

function parametersOf({ parameter }: Filter): readonly Parameter[] {
  return parameter === undefined ? PARAMETER_CODES : [parameter];
}

/** A figure that is null is left out; an earlier one may stay, and a count of 0 beside it says that it does not count. */
function rollupFields({ readings }: Instant<Rollup>): string {
  const fields = readings.flatMap((rollup) =>
    ROLLUP_NAMES.names.flatMap((name) => {
      const figure = rollup[name];
      return figure === null || figure === undefined ? [] : [`${fieldOf(rollup.parameter, name)}=${figure}`];
    }),
  );
  return fields.join(',');
}

/**
 * The lines of a device together, each device's in the order that they have: InfluxDB looks a field of a series up, and writes its
 * name into the log, once a request.
 */
function bySeries<L extends Instant>(lines: readonly L[]): readonly L[] {
  const byDevice = new Map<string, L[]>();
  for (const line of lines) {
    const before = byDevice.get(line.device);
    if (before === undefined) byDevice.set(line.device, [line]);
    else before.push(line);
  }
  return [...byDevice.values()].flat();
}

function halves<T extends { readonly ts: number }>(lines: readonly T[]): T[][] {
  const inOrder = lines.toSorted((a, b) => a.ts - b.ts);
  const half = Math.ceil(lines.length / 2);
  return [inOrder.slice(0, half), inOrder.slice(half)];
}

/** The same lines for each parameter alone. */
function byParameter<L extends Instant>(lines: readonly L[]): L[][] {
  const parts = new Map<Parameter, L[]>();
  for (const line of lines) {
    for (const reading of line.readings) {
      const part = parts.get(reading.parameter) ?? [];
      part.push({ ...line, readings: [reading] });
      parts.set(reading.parameter, part);
    }
  }
  return [...parts.values()];
}

/** A length of time as 1.x writes it, `720h0m0s`; `0s` is for ever. */
function goDuration(text: string): Millis {
  const units: Readonly<Record<string, Millis>> = { h: HOUR, m: 60_000, s: 1_000 };
  const ms = Array.from(
    text.matchAll(/(\d+)([hms])/g),
    ([, count, unit = '']) => Number(count) * (units[unit] ?? 0),
  );
  const sum = ms.reduce((total, part) => total + part, 0);
  return sum === 0 ? Infinity : sum;
}

function influxDuration(ms: Millis): string {
  return ms === Infinity ? 'INF' : `${Math.round(ms / 1_000)}s`;
}

function shardDuration(place: Place, kept: Millis): Millis {
  return Math.min(LONGEST_SHARD[place], Math.max(HOUR, Math.floor(kept / SHARDS_KEPT / HOUR) * HOUR));
}

/** An InfluxQL identifier. */
function identifier(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

function tagFaultOf({ device, site }: Series): string | undefined {
  // A backslash at the end would swallow the separator and join two tags into one.
  const bad = [device, site].find((tag) => tag === '' || tag.endsWith('\\') || /[\n\r]/.test(tag));
  return bad === undefined ? undefined : `InfluxDB cannot hold the tag ${JSON.stringify(bad)}`;
}

function conditions({ site, device, span }: Filter, ...more: readonly string[]): string {
  const parts = [...more];
  if (site !== undefined) parts.push(`site = ${quoted(site)}`);
  if (device !== undefined) parts.push(`device = ${quoted(device)}`);
  if (span !== undefined) parts.push(`time >= ${instantOf(span.from)}`, `time < ${instantOf(span.to)}`);
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** Nanoseconds in 64 bits: nothing is stored before or after, so what is asked for beyond is asked for up to here. */
const FARTHEST = Math.floor(2 ** 63 / 1_000_000) - 1;

function instantOf(ts: UtcMillis): string {
  return `${Math.max(-FARTHEST, Math.min(FARTHEST, Math.trunc(ts)))}ms`;
}

/** An InfluxQL string literal. */
function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
}

function sorted(rows: readonly Row[], order: PointQuery['order']): Row[] {
  const sign = order === 'asc' ? 1 : -1;
  return rows.toSorted(
    (a, b) =>
      sign * (a.line.time - b.line.time) ||
      compare(a.line.device, b.line.device) ||
      compare(a.parameter, b.parameter),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
