import type { Point } from '#libs/timeseries';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Makes Parquet files that are there only while they are read. */
export class ParquetFiles {
  readonly #folder: string;

  /** @param data - the data folder; the disk that holds it has room for what is in it
   *  @param memoryBytes - that one may take while it is made */
  constructor(
    data: string,
    private readonly memoryBytes: number,
  ) {
    this.#folder = join(data, 'exports');
  }

  /** Takes away what a process left that was ended amid one. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Writes the points into a file and opens it. Its name is gone by then: nothing stays when the reader has it. */
  async open(pages: AsyncIterable<readonly Point[]>): Promise<Readable> {
    // The driver is heavy, and most installations never ask.
    const { writeParquet } = await import('#libs/engine-duckdb');
    await mkdir(this.#folder, { recursive: true });
    const file = join(this.#folder, `${randomUUID()}.parquet`);
    try {
      await writeParquet(file, pages, this.memoryBytes);
      const stream = createReadStream(file);
      await once(stream, 'open');
      return stream;
    } finally {
      await rm(file, { force: true });
      await rm(`${file}.unfinished`, { force: true });
    }
  }
}
