import type { Millis } from '#libs/kernel';
import type { EnvelopeBucket, Extremes } from '#libs/timeseries';
import type { DuckDBValue } from '@duckdb/node-api';

/** Which flags belong to each kind of reading of a bucket. */
const FLAGS = { trusted: 'flag < 3', suspect: 'flag = 3', failed: 'flag = 4' } as const;
const KINDS = Object.keys(FLAGS) as (keyof typeof FLAGS)[];
const FIGURES = ['count', 'min', 'max', 'avg'] as const;

/** One pass over the readings, whatever they are flagged. @param where - as {@link conditions} makes it */
export function envelopeSql(table: string, where: string, bucketMs: Millis): string {
  const bucket = Math.trunc(bucketMs);
  const figures = KINDS.flatMap((kind) =>
    FIGURES.map((figure) => `${figure}(value) FILTER (${FLAGS[kind]})`),
  ).join(', ');
  return `SELECT ts - ((ts % ${bucket}) + ${bucket}) % ${bucket} AS bucket, ${figures} FROM ${table} ${where}
    GROUP BY bucket HAVING bool_or(flag <= 4) ORDER BY bucket`;
}

/** A row of that. */
export function envelopeOf(row: readonly DuckDBValue[]): EnvelopeBucket {
  const figures = row.slice(1).map(Number);
  const figure = (kind: number, of: number): number => figures[kind * FIGURES.length + of] ?? NaN;
  const kinds = KINDS.flatMap((kind, i): [string, Extremes][] => {
    const count = figure(i, 0);
    if (count === 0) return [];
    return [[kind, { count, min: figure(i, 1), max: figure(i, 2), mean: figure(i, 3) }]];
  });
  return { ts: Number(row[0]), ...(Object.fromEntries(kinds) as Omit<EnvelopeBucket, 'ts'>) };
}
