import { DuckDBInstance } from '@duckdb/node-api';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { memoryLimit } from './memory-limit.js';
import type { Point } from '#libs/timeseries';

/** A day of a large network must not take the memory that the stages need; what does not fit is spilled to the disk. */
const MEMORY_BYTES = 256_000_000;

/**
 * Writes points into a Parquet file, in the order in which they come; columns as in {@link Point} but for `failed` and `doubt`, in snake case, times as
 * milliseconds since the epoch. The file appears whole or not at all, in the place of an older one.
 *
 * @param memoryBytes - that it may take
 * @returns the number of points
 */
export async function writeParquet(
  file: string,
  pages: AsyncIterable<readonly Point[]>,
  memoryBytes = MEMORY_BYTES,
): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    ...memoryLimit(memoryBytes),
    temp_directory: `${dirname(file)}/.spill`,
  });
  try {
    const connection = await instance.connect();
    try {
      await connection.run(
        'CREATE TABLE point (site VARCHAR, device VARCHAR, parameter VARCHAR, ts BIGINT, value DOUBLE, flag UTINYINT, received_at BIGINT)',
      );
      const appender = await connection.createAppender('point');
      let count = 0;
      try {
        for await (const page of pages) {
          for (const { site, device, parameter, ts, value, flag, receivedAt } of page) {
            appender.appendVarchar(site);
            appender.appendVarchar(device);
            appender.appendVarchar(parameter);
            appender.appendBigInt(BigInt(ts));
            appender.appendDouble(value);
            appender.appendUTinyInt(flag);
            appender.appendBigInt(BigInt(receivedAt));
            appender.endRow();
          }
          count += page.length;
        }
      } finally {
        appender.closeSync();
      }
      const unfinished = `${file}.unfinished`;
      await connection.run('COPY point TO $1 (FORMAT parquet)', [unfinished]);
      await sync(unfinished);
      await rename(unfinished, file);
      return count;
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** On the disk before it takes the place of the older file. */
async function sync(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.sync();
}
