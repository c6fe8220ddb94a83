import { messageOf, PantauError, type Clock, type Millis, type TimeSpan } from '#libs/kernel';
import { maskOfTests, testsOfMask } from '#libs/quality-control';
import type { Parameter, QualityFlag, Rollup } from '#libs/telemetry';
import {
  DuckDBInstance,
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBValue,
} from '@duckdb/node-api';
import {
  distinctReadings,
  instantsOf,
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
  type Point,
  type PointQuery,
  type RollupQuery,
  type StorableObservation,
  type TimeSeriesStore,
  type WriteReport,
  type PointFilter,
  type EnvelopeBucket,
  type EnvelopeQuery,
} from '#libs/timeseries';

import { conditions } from './conditions.js';
import { memoryLimit } from './memory-limit.js';
import { envelopeOf, envelopeSql } from './envelope.js';

export interface DuckDbStoreOptions {
  readonly retention: StoreRetention;
  /** What the retention is counted from. */
  readonly clock: Clock;
  /** What it may hold of its file, and of questions. */
  readonly memoryBytes?: number;
}

/** A table whose rows are replaced by device, parameter and `ts`. */
interface Table {
  readonly name: string;
  readonly columns: string;
  readonly keeps: keyof StoreRetention;
}

/** Columns that roll-ups have got since files were made first; null in the rows of before. */
const LATER_FIGURES = {
  unusual: 'INTEGER',
  covered: 'DOUBLE',
  unusual_share: 'DOUBLE',
  valid_without_unusual: 'INTEGER',
  mean_without_unusual: 'DOUBLE',
} as const;
const SERIES_COLUMNS = 'site VARCHAR, device VARCHAR, parameter VARCHAR, ts BIGINT';
const READINGS: Table = {
  name: 'reading',
  columns: `${SERIES_COLUMNS}, value DOUBLE, flag UTINYINT, received_at BIGINT, failed UINTEGER, doubt VARCHAR`,
  keeps: 'raw',
};
const ROLLUPS: Readonly<Record<Tier, Table>> = { hour: rollupTable('hour'), day: rollupTable('day') };
const TABLES = [READINGS, ...Object.values(ROLLUPS)];

const LATER_COLUMNS = Object.keys(LATER_FIGURES).join(', ');

function rollupTable(tier: Tier): Table {
  const later = Object.entries(LATER_FIGURES).map((column) => column.join(' '));
  const columns = `${SERIES_COLUMNS}, expected INTEGER, received INTEGER, valid INTEGER, mean DOUBLE, min DOUBLE, max DOUBLE, ${later.join(', ')}`;
  return { name: `rollup_${tier}`, columns, keeps: tier };
}

/**
 * The embedded time-series store: one DuckDB file.
 *
 * The table has no primary key: replacing the rows of a batch (delete what it repeats, then insert, in one
 * transaction) took a quarter of the time of an upsert through an index, and needs no memory for the index. A batch
 * covers little time, so the delete reads few row groups. Appending alone and removing doubles at read was twice as
 * fast again, but made a count of 2 million points 100 times slower.
 */
export class DuckDbStore implements TimeSeriesStore {
  readonly description: string;
  readonly #options: DuckDbStoreOptions | undefined;
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  #writing: Promise<unknown> = Promise.resolve();
  readonly #reading = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(
    file: string,
    options: DuckDbStoreOptions | undefined,
    instance: DuckDBInstance,
    writer: DuckDBConnection,
    reader: DuckDBConnection,
  ) {
    this.description = `duckdb ${file}`;
    this.#options = options;
    this.#instance = instance;
    this.#writer = writer;
    this.#reader = reader;
  }

  /**
   * @param options - without them everything is kept
   * @throws PantauError `STORE_UNAVAILABLE` when the file is damaged or another process holds it
   */
  static async open(file: string, options?: DuckDbStoreOptions): Promise<DuckDbStore> {
    try {
      const instance = await DuckDBInstance.create(file, memoryLimit(options?.memoryBytes));
      const writer = await instance.connect();
      for (const { name, columns } of TABLES)
        await writer.run(`CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
      for (const later of ['failed UINTEGER', 'doubt VARCHAR'])
        await writer.run(`ALTER TABLE ${READINGS.name} ADD COLUMN IF NOT EXISTS ${later}`);
      for (const { name } of Object.values(ROLLUPS))
        for (const [column, type] of Object.entries(LATER_FIGURES))
          await writer.run(`ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${column} ${type}`);
      return new DuckDbStore(file, options, instance, writer, await instance.connect());
    } catch (cause) {
      throw new PantauError(
        'STORE_UNAVAILABLE',
        `cannot open the time-series store ${file}: ${messageOf(cause)}.`,
        {
          remedy: /lock/i.test(messageOf(cause))
            ? 'One process at a time can hold it; end the other one.'
            : 'Check that its folder exists and that the file was written by Pantau.',
          cause,
        },
      );
    }
  }

  /** The tables were made when the file was opened, and {@link expire} keeps to whatever is configured now. */
  setUp(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async write(observations: readonly StorableObservation[]): Promise<WriteReport> {
    const { accepted, refused } = setFaultyAside(observations, ({ ts }) => this.#expiredFaultOf('raw', ts));
    const distinct = distinctReadings(accepted);
    await this.#replace(READINGS, distinct, (appender, { value, flag, failed, doubt }, { receivedAt }) => {
      appender.appendDouble(value);
      appender.appendUTinyInt(flag);
      appender.appendBigInt(BigInt(receivedAt));
      if (failed === undefined || failed.length === 0) appender.appendNull();
      else appender.appendUInteger(maskOfTests(failed));
      if (doubt === undefined) appender.appendNull();
      else appender.appendVarchar(doubt);
    });
    return { refused };
  }

  async writeRollups(rollups: readonly Rollup[]): Promise<WriteReport<Rollup>> {
    const { accepted, refused } = setFaultyRollupsAside(rollups, ({ tier, from }) =>
      this.#expiredFaultOf(tier, from),
    );
    for (const tier of TIERS) {
      const instants = instantsOf(accepted, tier);
      await this.#replace(ROLLUPS[tier], instants, (appender, rollup) => {
        const { expected, received, valid, mean, min, max } = rollup;
        for (const count of [expected, received, valid]) appender.appendInteger(count);
        for (const figure of [mean, min, max]) appendDouble(appender, figure);
        const { unusual, covered, unusualShare, validWithoutUnusual, meanWithoutUnusual } = rollup;
        appendInteger(appender, unusual);
        for (const figure of [covered, unusualShare]) appendDouble(appender, figure);
        appendInteger(appender, validWithoutUnusual);
        appendDouble(appender, meanWithoutUnusual);
      });
    }
    return { refused };
  }

  async query(query: PointQuery): Promise<Point[]> {
    const columns = 'site, device, parameter, ts, value, flag, failed, doubt, received_at';
    return (await this.#select(columns, READINGS, query)).map(
      ([site, device, parameter, ts, value, flag, failed, doubt, receivedAt]): Point => ({
        site: site as string,
        device: device as string,
        parameter: parameter as Parameter,
        ts: Number(ts),
        value: value as number,
        flag: flag as QualityFlag,
        ...(failed ? { failed: testsOfMask(failed as number) } : {}),
        ...(doubt ? { doubt: doubt as string } : {}),
        receivedAt: Number(receivedAt),
      }),
    );
  }

  count(query: PointFilter): Promise<number> {
    return this.#count(READINGS, query);
  }

  async envelope(query: EnvelopeQuery): Promise<EnvelopeBucket[]> {
    const { where, values } = conditions(query);
    return (await this.#read(envelopeSql(READINGS.name, where, query.bucketMs), values)).map(envelopeOf);
  }

  async queryRollups(query: RollupQuery): Promise<Rollup[]> {
    const { tier } = query;
    const columns = `site, device, parameter, ts, expected, received, valid, mean, min, max, ${LATER_COLUMNS}`;
    return (await this.#select(columns, ROLLUPS[tier], query)).map(
      ([site, device, parameter, from, expected, received, valid, mean, min, max, ...later]): Rollup => ({
        site: site as string,
        device: device as string,
        parameter: parameter as Parameter,
        tier,
        from: Number(from),
        to: Number(from) + TIER_LENGTH[tier],
        expected: expected as number,
        received: received as number,
        valid: valid as number,
        mean: mean as number | null,
        min: min as number | null,
        max: max as number | null,
        ...laterFigures(later as (number | null)[]),
      }),
    );
  }

  countRollups(query: Omit<RollupQuery, 'limit' | 'order'>): Promise<number> {
    return this.#count(ROLLUPS[query.tier], query);
  }

  async expire(): Promise<number> {
    let rows = 0;
    for (const { name, keeps } of TABLES) {
      const oldest = this.#oldest(keeps);
      if (oldest === -Infinity) continue;
      rows += await this.#write(async (connection) => {
        const { rowsChanged } = await connection.run(`DELETE FROM ${name} WHERE ts < ${oldest}`);
        return rowsChanged;
      });
    }
    return rows;
  }

  /**
   * Writes the points of the span into one Parquet file, ordered by device, parameter and `ts`; an existing file is
   * replaced. Columns as in {@link Point} but for `failed` and `doubt`, in snake case; times are integers, milliseconds since the epoch.
   *
   * @returns the number of points in the file
   * @throws PantauError `STORE_UNAVAILABLE` when the file cannot be written
   */
  async exportParquet(file: string, span: TimeSpan): Promise<number> {
    const { where, values } = conditions({ span });
    const [row] = await this.#read(
      `COPY (SELECT site, device, parameter, ts, value, flag, received_at FROM reading ${where}
        ORDER BY device, parameter, ts) TO $${values.length + 1} (FORMAT parquet)`,
      [...values, file],
    );
    return Number(row?.[0] ?? 0);
  }

  async ping(): Promise<void> {
    await this.#read('SELECT 1', []);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A connection that is closed under a running statement takes the process with it.
    await Promise.allSettled([this.#writing, ...this.#reading]);
    this.#writer.closeSync();
    this.#reader.closeSync();
    this.#instance.closeSync();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('STORE_UNAVAILABLE', 'the time-series store was closed.');
  }

  #oldest(tier: keyof StoreRetention): Millis {
    const { retention, clock } = this.#options ?? { retention: KEEP_EVERYTHING, clock: undefined };
    return clock === undefined ? -Infinity : clock.now() - retention[tier];
  }

  /** As InfluxDB does: a late reading that the next {@link expire} would delete is refused, not lost in silence. */
  #expiredFaultOf(tier: keyof StoreRetention, ts: number): string | undefined {
    const { retention = KEEP_EVERYTHING } = this.#options ?? {};
    return ts < this.#oldest(tier) ? `beyond the retention of ${retentionText(retention[tier])}` : undefined;
  }

  /** Replaces rows, one a reading; `append` adds the columns after those of the series. */
  async #replace<I extends Instant>(
    { name, columns }: Table,
    instants: readonly I[],
    append: (appender: DuckDBAppender, reading: I['readings'][number], instant: I) => void,
  ): Promise<void> {
    this.#assertOpen();
    if (instants.length === 0) return;
    await this.#write(async (connection) => {
      // A new table for each batch: one that is emptied instead keeps the memory of its deleted rows for ever.
      await connection.run(`CREATE OR REPLACE TEMP TABLE batch (${columns})`);
      const appender = await connection.createAppender('batch');
      let from = Infinity;
      let to = -Infinity;
      for (const instant of instants) {
        const { site, device, ts, readings } = instant;
        for (const reading of readings) {
          appender.appendVarchar(site);
          appender.appendVarchar(device);
          appender.appendVarchar(reading.parameter);
          appender.appendBigInt(BigInt(ts));
          append(appender, reading, instant);
          appender.endRow();
        }
        from = Math.min(from, ts);
        to = Math.max(to, ts);
      }
      appender.closeSync();
      await connection.run(
        `DELETE FROM ${name} USING batch WHERE ${name}.ts = batch.ts AND ${name}.device = batch.device
          AND ${name}.parameter = batch.parameter AND ${name}.ts BETWEEN ${from} AND ${to}`,
      );
      await connection.run(`INSERT INTO ${name} SELECT * FROM batch`);
    });
  }

  /** Runs a transaction. One at a time: they share the connection and the staging table. */
  async #write<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const written = this.#writing.then(() => this.#transaction(work));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #transaction<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = this.#writer;
    try {
      await connection.run('BEGIN');
      const result = await work(connection);
      await connection.run('COMMIT');
      return result;
    } catch (cause) {
      await connection.run('ROLLBACK').catch(() => undefined);
      throw new PantauError(
        'STORE_UNAVAILABLE',
        `the time-series store could not be written: ${messageOf(cause)}.`,
        {
          remedy: 'Check the space on the disk that holds the data folder.',
          transient: true,
          cause,
        },
      );
    }
  }

  #select(columns: string, { name }: Table, query: PointQuery): Promise<readonly (readonly DuckDBValue[])[]> {
    const { where, values } = conditions(query);
    const direction = query.order === 'asc' ? 'ASC' : 'DESC';
    return this.#read(
      `SELECT ${columns} FROM ${name} ${where}
        ORDER BY ts ${direction}, device, parameter LIMIT ${Math.trunc(query.limit)}`,
      values,
    );
  }

  async #count({ name }: Table, filter: PointFilter): Promise<number> {
    const { where, values } = conditions(filter);
    const [row] = await this.#read(`SELECT count(*) FROM ${name} ${where}`, values);
    return Number(row?.[0] ?? 0);
  }

  async #read(sql: string, values: DuckDBValue[]): Promise<readonly (readonly DuckDBValue[])[]> {
    this.#assertOpen();
    const reading = this.#reader.runAndReadAll(sql, values);
    this.#reading.add(reading);
    try {
      return (await reading).getRows();
    } catch (cause) {
      throw new PantauError(
        'STORE_UNAVAILABLE',
        `the time-series store could not be read: ${messageOf(cause)}.`,
        { cause },
      );
    } finally {
      this.#reading.delete(reading);
    }
  }
}

function appendDouble(appender: DuckDBAppender, figure: number | null | undefined): void {
  if (figure === null || figure === undefined) appender.appendNull();
  else appender.appendDouble(figure);
}

function appendInteger(appender: DuckDBAppender, count: number | undefined): void {
  if (count === undefined) appender.appendNull();
  else appender.appendInteger(count);
}
