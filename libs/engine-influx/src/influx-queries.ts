import { type UtcMillis, compareTexts } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import type { EnvelopeBucket, EnvelopeQuery, Point, PointFilter, PointQuery } from '#libs/timeseries';
import { LAYOUTS } from './influx-layout.js';
import type { Place } from './influx-options.js';
import { identifier, quoted } from './influx-ql.js';
import { fieldOf } from './influx-readings.js';
import type { InfluxTransport } from './influx-transport.js';

/** What InfluxQL answers of a point: its time, its tags and the fields that were asked for. */
export interface Line extends Pick<Point, 'device' | 'site'>, Record<string, unknown> {
  readonly time: number;
}

/** What a line holds of one parameter. */
export interface ParameterLine {
  readonly parameter: Parameter;
  readonly line: Line;
}

/** Questions to InfluxDB, in InfluxQL. */
export class InfluxQueries {
  constructor(private readonly transport: InfluxTransport) {}

  async count(place: Place, filter: PointFilter): Promise<number> {
    const { from, present } = LAYOUTS[place];
    const counts = parametersOf(filter).map(
      (parameter) => `count(${identifier(fieldOf(parameter, present))})`,
    );
    const [row] = await this.transport.influxQl(
      `SELECT ${counts.join(', ')} FROM ${from}${conditions(filter)}`,
    );
    const counted = Object.entries(row ?? {}).filter(([column]) => column !== 'time');
    return counted.reduce((sum, [, count]) => sum + Number(count ?? 0), 0);
  }

  /** InfluxDB reads each reading of the span once for every kind of flag, and answers with a row for a bucket. */
  async envelope({ bucketMs, ...filter }: EnvelopeQuery): Promise<EnvelopeBucket[]> {
    const { from, present } = LAYOUTS.raw;
    const value = identifier(fieldOf(filter.parameter, present));
    const flag = identifier(fieldOf(filter.parameter, 'flag'));
    const figures = `count(${value}), min(${value}), max(${value}), mean(${value})`;
    const byStart = new Map<UtcMillis, { ts: UtcMillis } & Record<string, unknown>>();
    for (const [kind, judged] of Object.entries(JUDGED)) {
      const where = conditions(filter, judged(flag));
      const rows = await this.transport.influxQl(
        `SELECT ${figures} FROM ${from}${where} GROUP BY time(${Math.trunc(bucketMs)}ms) fill(none)`,
      );
      for (const { time, ...row } of rows) {
        const ts = time as UtcMillis;
        const bucket = byStart.get(ts) ?? { ts };
        bucket[kind] = row;
        byStart.set(ts, bucket);
      }
    }
    return [...byStart.values()].sort((a, b) => a.ts - b.ts);
  }

  /** @returns at most `limit` rows in the order of the port */
  async select(place: Place, { after, ...query }: PointQuery): Promise<ParameterLine[]> {
    if (after === undefined) return this.#first(place, query);
    const { order, limit, span = EVERYTHING } = query;
    const isWithin = after.ts >= span.from && after.ts < span.to;
    const instant = { from: after.ts, to: after.ts + 1 };
    const atOnce = isWithin ? await this.#rows(place, { ...query, span: instant }, '') : [];
    const behind = sorted(atOnce, order).filter(
      ({ line: { device }, parameter }) =>
        (compareTexts(device, after.device) || compareTexts(parameter, after.parameter)) > 0,
    );
    if (behind.length >= limit) return behind.slice(0, limit);
    const rest =
      order === 'asc'
        ? { from: Math.max(span.from, instant.to), to: span.to }
        : { from: span.from, to: Math.min(span.to, after.ts) };
    if (rest.from >= rest.to) return behind;
    const others = await this.#first(place, { ...query, span: rest, limit: limit - behind.length });
    return [...behind, ...others];
  }

  async #first(place: Place, query: PointQuery): Promise<ParameterLine[]> {
    const { limit, order } = query;
    // As many lines as rows are wanted: each has at least one.
    const rows = await this.#rows(place, query, ` ORDER BY time ${order} LIMIT ${Math.trunc(limit)}`);
    const last = rows.at(-1);
    if (rows.length < limit || last === undefined) return sorted(rows, order);
    // InfluxQL orders by time alone: take all rows of the last instant, so that the cut at the limit is defined.
    const before = rows.filter(({ line }) => line.time !== last.line.time);
    const instant = { from: last.line.time, to: last.line.time + 1 };
    const ofLastInstant = await this.#rows(place, { ...query, span: instant }, '');
    return sorted([...before, ...ofLastInstant], order).slice(0, limit);
  }

  /** @returns a row for each parameter in a line; lines without any, which others may have written, are not asked for */
  async #rows(place: Place, filter: PointFilter, tail: string): Promise<ParameterLine[]> {
    const { from, names, present, shared } = LAYOUTS[place];
    const parameters = parametersOf(filter);
    const fields = parameters.flatMap((parameter) => names.map((name) => fieldOf(parameter, name)));
    const columns = [...fields, ...shared, 'device', 'site'].map(identifier).join(', ');
    // InfluxQL has no other way to ask whether a field is there.
    const isPresent = parameters
      .map((parameter) => identifier(fieldOf(parameter, present)))
      .map((field) => `${field} >= 0 OR ${field} < 0`);
    const where = conditions(filter, `(${isPresent.join(' OR ')})`);
    const lines = (await this.transport.influxQl(`SELECT ${columns} FROM ${from}${where}${tail}`)) as Line[];
    return lines.flatMap((line) =>
      parameters
        .filter((parameter) => typeof line[fieldOf(parameter, present)] === 'number')
        .map((parameter) => ({ parameter, line })),
    );
  }
}

/** Conditions on a flag by the kind of reading. One without a flag has passed, and what is compared with nothing is false. */
const JUDGED: Readonly<Record<Exclude<keyof EnvelopeBucket, 'ts'>, (flag: string) => string>> = {
  trusted: (flag) => `(${flag} >= 3) = false`,
  suspect: (flag) => `${flag} = 3`,
  failed: (flag) => `${flag} = 4`,
};

function parametersOf({ parameter }: PointFilter): readonly Parameter[] {
  return parameter === undefined ? PARAMETER_CODES : [parameter];
}

function conditions({ site, device, span }: PointFilter, ...more: readonly string[]): string {
  const parts = [...more];
  if (site !== undefined) parts.push(`site = ${quoted(site)}`);
  if (device !== undefined) parts.push(`device = ${quoted(device)}`);
  if (span !== undefined) parts.push(`time >= ${instantOf(span.from)}`, `time < ${instantOf(span.to)}`);
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** Nanoseconds in 64 bits: nothing is stored before or after, so what is asked for beyond is asked for up to here. */
const FARTHEST = Math.floor(2 ** 63 / 1_000_000) - 1;

/** Whatever is stored. */
const EVERYTHING = { from: -FARTHEST, to: FARTHEST };

function instantOf(ts: UtcMillis): string {
  return `${Math.max(-FARTHEST, Math.min(FARTHEST, Math.trunc(ts)))}ms`;
}

function sorted(rows: readonly ParameterLine[], order: PointQuery['order']): ParameterLine[] {
  const sign = order === 'asc' ? 1 : -1;
  return rows.toSorted(
    (a, b) =>
      sign * (a.line.time - b.line.time) ||
      compareTexts(a.line.device, b.line.device) ||
      compareTexts(a.parameter, b.parameter),
  );
}
