import {
  hourOf,
  localDateOf,
  localDaySpan,
  type Clock,
  type Millis,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import { makeFolder } from '#libs/platform';
import type { Namespace, StateStore } from '#libs/state';
import { join } from 'node:path';
import { ARCHIVE_MARKS, ARCHIVED_DAYS } from './namespaces.js';
import type { Point, TimeSeriesStore } from './time-series-store.js';

const PAGE = 10_000;

/** What the writer puts into the commit that moves its cursor. */
export interface StatePuts {
  put<T>(namespace: Namespace<T>, key: string, value: NoInfer<T>): void;
}

/** Marks the days that points fall into: their files are to be written, again perhaps. */
export function markDays(
  state: StatePuts,
  points: readonly Pick<Point, 'ts'>[],
  shard: number,
  next: number,
): void {
  const dates = new Map<UtcMillis, string>();
  let latest: UtcMillis | undefined;
  for (const { ts } of points) {
    // Points of one hour come together, mostly: a date costs more than all of them.
    const hour = hourOf(ts);
    if (hour === latest) continue;
    latest = hour;
    if (!dates.has(hour)) dates.set(hour, localDateOf(hour));
  }
  for (const date of new Set(dates.values())) state.put(ARCHIVE_MARKS, `${date}/${shard}`, next);
}

/**
 * Writes points into a file, in the order in which they come. The file appears whole or not at all, in the place of an older one.
 *
 * @returns the number of points
 */
export type WritePoints = (file: string, pages: AsyncIterable<readonly Point[]>) => Promise<number>;

export interface ArchiveOptions {
  /** Writes a Parquet file. */
  readonly writeParquet: WritePoints;
  readonly store: TimeSeriesStore;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly folder: string;
  /** A day is written this long after it has ended; late readings after that cost a second writing. */
  readonly afterMs: Millis;
  /** How long the store keeps readings. */
  readonly keptMs: Millis;
  /** Every device that may have readings. */
  readonly devices: () => Promise<readonly string[]>;
}

export interface ArchivedDay {
  readonly date: string;
  readonly points: number;
}

/**
 * A Parquet file a calendar day of the regency, from whichever engine holds the readings. A day is written when it is
 * over, and again, whole, when a reading of it has come in since.
 */
export class Archive {
  readonly #options: ArchiveOptions;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /**
   * Writes every day that is due. Stops between devices when the signal aborts.
   *
   * @throws PantauError of the store, when it is away; the days that are left come with the next run
   */
  async run(signal: AbortSignal): Promise<ArchivedDay[]> {
    const { state, folder, writeParquet } = this.#options;
    makeFolder(folder);
    const archived: ArchivedDay[] = [];
    for (const [date, marks] of await this.#due()) {
      const span = localDaySpan(date);
      if (span === undefined || signal.aborted) break;
      const points = await writeParquet(join(folder, `${date}.parquet`), this.#pages(span, signal)).catch(
        (error: unknown) => {
          if (signal.aborted) return undefined;
          throw error;
        },
      );
      if (points === undefined) break;
      // The marks of before the reading: what came in meanwhile makes the day due again.
      await state.write([ARCHIVED_DAYS.put(date, marks)]);
      archived.push({ date, points });
    }
    return archived;
  }

  /** Days that are over and have marks that their file does not hold, oldest first. */
  async #due(): Promise<[date: string, marks: string][]> {
    const { state, clock, afterMs, keptMs } = this.#options;
    const now = clock.now();
    const archived = new Map((await state.list(ARCHIVED_DAYS)).map(({ key, value }) => [key, value]));
    const marks = new Map<string, string>();
    for (const { key, value } of await state.list(ARCHIVE_MARKS)) {
      const [date = '', shard = ''] = key.split('/');
      marks.set(date, `${marks.get(date) ?? ''}${shard}:${value} `);
    }
    return [...marks].filter(([date, mark]) => {
      const span = localDaySpan(date);
      return (
        span !== undefined &&
        span.to + afterMs <= now &&
        // The store has begun to forget it; a new file would hold less than the old one.
        span.from >= now - keptMs &&
        archived.get(date) !== mark
      );
    });
  }

  async *#pages(span: TimeSpan, signal: AbortSignal): AsyncGenerator<readonly Point[]> {
    const { store, devices } = this.#options;
    // By device, because a page must not be full of one instant, as it could be of a large network.
    for (const device of await devices()) {
      let { from } = span;
      for (let full = true; full;) {
        signal.throwIfAborted();
        const page = await store.query({ device, span: { from, to: span.to }, limit: PAGE, order: 'asc' });
        full = page.length === PAGE;
        const last = page.at(-1);
        // The rest of the last instant may be on the next page.
        yield full ? page.filter(({ ts }) => ts !== last?.ts) : page;
        from = last?.ts ?? span.to;
      }
    }
  }
}
