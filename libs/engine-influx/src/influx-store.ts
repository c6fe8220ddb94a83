import { DAY, type UtcMillis } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';
import {
  instantsOf,
  LATER_FIGURES,
  laterFigures,
  pointOf,
  setFaultyAside,
  setFaultyRollupsAside,
  TIER_LENGTH,
  TIERS,
  type Instant,
  type Point,
  type PointQuery,
  type RollupQuery,
  type StorableObservation,
  type Tier,
  type TimeSeriesStore,
  type WriteReport,
  type PointFilter,
  type EnvelopeBucket,
  type EnvelopeQuery,
} from '#libs/timeseries';
import { HttpError } from '@influxdata/influxdb-client';
import { beforeWriting, influxMessage, storeError } from './influx-errors.js';
import { LAYOUTS } from './influx-layout.js';
import type { InfluxStoreOptions } from './influx-options.js';
import { InfluxQueries } from './influx-queries.js';
import { fieldOf, judgementIn, readingFields } from './influx-readings.js';
import { InfluxSetUp } from './influx-set-up.js';
import { InfluxTransport } from './influx-transport.js';
import { bySeries, byParameter, halves, LineFormat, rollupFields } from './line-format.js';
import { NewestInstants } from './newest-instants.js';

/** Lines in one request, a line a device and instant: the documentation's own optimum for writes. */
const LINES_PER_REQUEST = 5_000;

/**
 * How far before an arrival InfluxDB is asked for the newest reading of every device, which costs it a look into every shard of
 * that time for each of them. It is how long by default a device may keep a reading to itself.
 */
const LOOK_BACK = 30 * DAY;

/**
 * InfluxDB 1.x and 2.x. Writes go through the official client, reads through InfluxQL, which both versions speak.
 *
 * - A write resolves when InfluxDB has it. The journal is the retry buffer.
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
  readonly #transport: InfluxTransport;
  readonly #queries: InfluxQueries;
  readonly #newest = new NewestInstants();
  readonly #readings = new LineFormat<StorableObservation>('raw', 'reading', (line) =>
    readingFields(line, this.#newest.advance(line)),
  );
  readonly #rollups: Readonly<Record<Tier, LineFormat<Instant<Rollup>>>> = {
    hour: new LineFormat('hour', 'rollup_hour', rollupFields),
    day: new LineFormat('day', 'rollup_day', rollupFields),
  };
  #serverVersion: string;
  #newestAsked: Promise<void> | undefined;

  constructor(options: InfluxStoreOptions) {
    this.#options = options;
    this.#serverVersion = `${options.version}.x`;
    this.#transport = new InfluxTransport(options);
    this.#queries = new InfluxQueries(this.#transport);
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
    return new InfluxSetUp(this.#transport, this.#options).run();
  }

  /**
   * @throws PantauError `STORE_UNAVAILABLE` (transient) when InfluxDB does not answer or is overloaded,
   * `STORE_CONFIG` (transient too: an operator may put it right while data wait) when it refuses the credentials,
   * does not know the database or cannot say through InfluxQL what is stored already
   */
  async write(observations: readonly StorableObservation[]): Promise<WriteReport> {
    this.#transport.assertOpen();
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
    this.#transport.assertOpen();
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
    const rows = await this.#queries.select('raw', query);
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
    const rows = await this.#queries.select(tier, query);
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

  count(query: PointFilter): Promise<number> {
    return this.#queries.count('raw', query);
  }

  envelope(query: EnvelopeQuery): Promise<EnvelopeBucket[]> {
    return this.#queries.envelope(query);
  }

  countRollups(query: Omit<RollupQuery, 'limit' | 'order'>): Promise<number> {
    return this.#queries.count(query.tier, query);
  }

  /** InfluxDB does it by itself, a shard at a time. */
  expire(): Promise<number> {
    return Promise.resolve(0);
  }

  async ping(): Promise<void> {
    this.#transport.assertOpen();
    const { headers } = await this.#transport.fetch('/ping', 'GET');
    this.#serverVersion = headers.get('x-influxdb-version') ?? this.#serverVersion;
  }

  close(): Promise<void> {
    this.#transport.close();
    return Promise.resolve();
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
    const series = await this.#transport.ask(
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
      await this.#transport.send(format.place, format.block(lines));
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
}

/** A line with one reading, and InfluxDB's words. */
interface RefusedLine<L> {
  readonly line: L;
  readonly message: string;
}
