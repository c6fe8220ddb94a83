import { messageOf, PantauError, type TimeSpan } from '#libs/kernel';
import type { Parameter, QualityFlag } from '#libs/telemetry';
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { distinctPoints, refuseFaulty } from './points.js';
import type { Point, PointQuery, TimeSeriesStore, WriteReport } from './time-series-store.js';

const COLUMNS =
  'site VARCHAR, device VARCHAR, parameter VARCHAR, ts BIGINT, value DOUBLE, flag UTINYINT, received_at BIGINT';

type Filter = Omit<PointQuery, 'limit' | 'order'>;

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
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  #writing: Promise<unknown> = Promise.resolve();
  readonly #reading = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(
    file: string,
    instance: DuckDBInstance,
    writer: DuckDBConnection,
    reader: DuckDBConnection,
  ) {
    this.description = `duckdb ${file}`;
    this.#instance = instance;
    this.#writer = writer;
    this.#reader = reader;
  }

  /** @throws PantauError `STORE_UNAVAILABLE` when the file is damaged or another process holds it */
  static async open(file: string): Promise<DuckDbStore> {
    try {
      const instance = await DuckDBInstance.create(file);
      const writer = await instance.connect();
      await writer.run(`CREATE TABLE IF NOT EXISTS reading (${COLUMNS})`);
      return new DuckDbStore(file, instance, writer, await instance.connect());
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

  async write(points: readonly Point[]): Promise<WriteReport> {
    this.#assertOpen();
    const { accepted, refused } = refuseFaulty(points);
    const distinct = distinctPoints(accepted);
    if (distinct.length > 0) {
      // One batch at a time: they share the staging table.
      const written = this.#writing.then(() => this.#writeBatch(distinct));
      this.#writing = written.catch(() => undefined);
      await written;
    }
    return { refused };
  }

  async query(query: PointQuery): Promise<Point[]> {
    const { where, values } = conditions(query);
    const direction = query.order === 'asc' ? 'ASC' : 'DESC';
    const sql = `SELECT site, device, parameter, ts, value, flag, received_at FROM reading ${where}
      ORDER BY ts ${direction}, device, parameter LIMIT ${Math.trunc(query.limit)}`;
    return (await this.#read(sql, values)).map(
      ([site, device, parameter, ts, value, flag, receivedAt]): Point => ({
        site: site as string,
        device: device as string,
        parameter: parameter as Parameter,
        ts: Number(ts),
        value: value as number,
        flag: flag as QualityFlag,
        receivedAt: Number(receivedAt),
      }),
    );
  }

  async count(query: Filter): Promise<number> {
    const { where, values } = conditions(query);
    const [row] = await this.#read(`SELECT count(*) FROM reading ${where}`, values);
    return Number(row?.[0] ?? 0);
  }

  /**
   * Writes the points of the span into one Parquet file, ordered by device, parameter and `ts`; an existing file is
   * replaced. Columns as in {@link Point}, in snake case; times are integers, milliseconds since the epoch.
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

  async #writeBatch(points: readonly Point[]): Promise<void> {
    const connection = this.#writer;
    try {
      await connection.run('BEGIN');
      // A new table for each batch: one that is emptied instead keeps the memory of its deleted rows for ever.
      await connection.run(`CREATE OR REPLACE TEMP TABLE batch (${COLUMNS})`);
      const appender = await connection.createAppender('batch');
      let from = Infinity;
      let to = -Infinity;
      for (const { site, device, parameter, ts, value, flag, receivedAt } of points) {
        appender.appendVarchar(site);
        appender.appendVarchar(device);
        appender.appendVarchar(parameter);
        appender.appendBigInt(BigInt(ts));
        appender.appendDouble(value);
        appender.appendUTinyInt(flag);
        appender.appendBigInt(BigInt(receivedAt));
        appender.endRow();
        from = Math.min(from, ts);
        to = Math.max(to, ts);
      }
      appender.closeSync();
      await connection.run(
        `DELETE FROM reading USING batch WHERE reading.ts = batch.ts AND reading.device = batch.device
          AND reading.parameter = batch.parameter AND reading.ts BETWEEN ${from} AND ${to}`,
      );
      await connection.run('INSERT INTO reading SELECT * FROM batch');
      await connection.run('COMMIT');
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

function conditions({ site, device, parameter, span }: Filter): { where: string; values: DuckDBValue[] } {
  const parts: [string, DuckDBValue][] = [];
  if (site !== undefined) parts.push(['site =', site]);
  if (device !== undefined) parts.push(['device =', device]);
  if (parameter !== undefined) parts.push(['parameter =', parameter]);
  if (span !== undefined)
    parts.push(['ts >=', BigInt(Math.trunc(span.from))], ['ts <', BigInt(Math.trunc(span.to))]);
  const where = parts.map(([test], i) => `${test} $${i + 1}`).join(' AND ');
  return { where: where === '' ? '' : `WHERE ${where}`, values: parts.map(([, value]) => value) };
}
