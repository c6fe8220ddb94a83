import type { DuckDBValue } from '@duckdb/node-api';
import { type PointQuery, type PointFilter } from '#libs/timeseries';

/** What rows are asked for, as SQL with the values of its parameters. */
export function conditions({
  site,
  device,
  parameter,
  span,
  after,
  order,
}: PointFilter & Partial<Pick<PointQuery, 'after' | 'order'>>): {
  readonly where: string;
  readonly values: DuckDBValue[];
} {
  const values: DuckDBValue[] = [];
  const given = (value: string | number): string => {
    values.push(typeof value === 'number' ? BigInt(Math.trunc(value)) : value);
    return `$${values.length}`;
  };
  const parts: string[] = [];
  if (site !== undefined) parts.push(`site = ${given(site)}`);
  if (device !== undefined) parts.push(`device = ${given(device)}`);
  if (parameter !== undefined) parts.push(`parameter = ${given(parameter)}`);
  if (span !== undefined) parts.push(`ts >= ${given(span.from)}`, `ts < ${given(span.to)}`);
  if (after !== undefined) {
    const ts = given(after.ts);
    const beyond = order === 'asc' ? '>' : '<';
    const series = `(device, parameter) > (${given(after.device)}, ${given(after.parameter)})`;
    // The first test alone lets row groups be passed over.
    parts.push(`ts ${beyond}= ${ts}`, `(ts ${beyond} ${ts} OR ${series})`);
  }
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}
