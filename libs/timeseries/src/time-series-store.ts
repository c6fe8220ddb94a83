import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import type { Observation, Parameter, QualityFlag, Reading, Rollup } from '#libs/telemetry';
import type { Tier } from './retention.js';

/** What is stored of an observation: the readings of one device at one instant, as one message brought them. */
export type StorableObservation = Pick<Observation, 'site' | 'device' | 'ts' | 'receivedAt' | 'readings'>;

/** One stored value. Its identity is device, parameter and `ts`: writing it again replaces it. */
export interface Point {
  readonly site: string;
  readonly device: string;
  readonly parameter: Parameter;
  /** Device time. */
  readonly ts: UtcMillis;
  /** In the unit of the parameter; finite. */
  readonly value: number;
  readonly flag: QualityFlag;
  /** Names of the tests that it did not pass, in the order of `QC_TESTS`; absent where it passed, or was stored without. */
  readonly failed?: readonly string[];
  /** With the test `device`: why the device itself doubts the value, in the words of its maker. */
  readonly doubt?: string;
  /**
   * When the message arrived that said it last. Where several messages of a device share a `ts`, it may be the arrival of the
   * one that was stored last, whatever it measured: InfluxDB keeps one for each device and instant.
   */
  readonly receivedAt: UtcMillis;
}

/** The words of a doubt as every store can keep them: on one line. */
export function doubtLine(words: string): string {
  return words.replace(/\s+/g, ' ');
}

/** A reading by itself. */
export function pointOf(
  { site, device, ts, receivedAt }: StorableObservation,
  { parameter, value, flag, failed, doubt }: Reading,
): Point {
  return {
    site,
    device,
    parameter,
    ts,
    value,
    flag,
    ...(failed === undefined ? {} : { failed }),
    ...(doubt === undefined ? {} : { doubt }),
    receivedAt,
  };
}

export interface PointQuery {
  readonly site?: string;
  readonly device?: string;
  readonly parameter?: Parameter;
  /** Device time, `from` included, `to` not. */
  readonly span?: TimeSpan;
  /** At most this many, 1 .. 10000. */
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Only what comes behind this in the order of the query. */
  readonly after?: Pick<Point, 'ts' | 'device' | 'parameter'>;
}

/** Which points, however many and in whatever order. */
export type PointFilter = Omit<PointQuery, 'limit' | 'order' | 'after'>;

/** Roll-ups of one tier; as {@link PointQuery}, with the start of the hour or day in the place of device time. */
export interface RollupQuery extends PointQuery {
  readonly tier: Tier;
}

/** Of one series what is drawn of it where there are more readings than pixels. */
export interface EnvelopeQuery {
  readonly device: string;
  readonly parameter: Parameter;
  /** Device time, `from` included, `to` not. */
  readonly span: TimeSpan;
  /** Length of a bucket; buckets begin at its multiples, so that they stand still when the span moves. A whole number, 1 or more. */
  readonly bucketMs: Millis;
}

/** Readings together. */
export interface Extremes {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** The readings of a bucket, those apart that quality control doubts; a kind without any is absent. */
export interface EnvelopeBucket {
  /** Where it begins; that may be before the span does. */
  readonly ts: UtcMillis;
  /** Flags 1 and 2: passed or not evaluated. */
  readonly trusted?: Extremes;
  /** Flag 3. */
  readonly suspect?: Extremes;
  /** Flag 4. */
  readonly failed?: Extremes;
}

/** The points that a store refused, each with the store's own words. The others of the batch are stored. */
export interface WriteReport<T = Point> {
  readonly refused: readonly { readonly point: T; readonly message: string }[];
}

/**
 * Where readings and their roll-ups can be queried. Rebuilt from the journal at any time, so it may be away: errors `STORE_UNAVAILABLE`
 * (transient: try again) and `STORE_CONFIG` (the database, bucket or token is wrong). What is asked for may be at fault itself:
 * `STORE_QUESTION` (it exceeds the limits of the store).
 */
export interface TimeSeriesStore {
  /** Which engine and where, for people: `duckdb data/readings.duckdb`, `influxdb 1.6.7 at http://…`. */
  readonly description: string;
  /**
   * Makes what is missing and sets the retention of every tier as configured; idempotent.
   *
   * @returns what it changed, in sentences for people
   * @throws PantauError `STORE_CONFIG` when something is not as configured and may not be changed, with both values;
   * readings can be written all the same
   */
  setUp(): Promise<readonly string[]>;
  /**
   * Idempotent; a reading replaces that of the same device, parameter and `ts` and no other. Resolves when every reading is
   * stored or reported as refused; older ones than `raw` keeps are refused.
   */
  write(observations: readonly StorableObservation[]): Promise<WriteReport>;
  /** As {@link write}. The identity of a roll-up is its tier, device, parameter and start. */
  writeRollups(rollups: readonly Rollup[]): Promise<WriteReport<Rollup>>;
  /** Ordered by `ts`, then device, then parameter. */
  query(query: PointQuery): Promise<Point[]>;
  /** Number of points that match, doubles counted once. */
  count(query: Omit<PointQuery, 'limit' | 'order'>): Promise<number>;
  /** The buckets that have readings of the flags 1 to 4, in the order of time. */
  envelope(query: EnvelopeQuery): Promise<EnvelopeBucket[]>;
  /** Ordered by start, then device, then parameter. */
  queryRollups(query: RollupQuery): Promise<Rollup[]>;
  /** Number of roll-ups that match. */
  countRollups(query: Omit<RollupQuery, 'limit' | 'order'>): Promise<number>;
  /** Deletes what is older than the tiers keep, where the engine does not do so by itself. @returns how many rows */
  expire(): Promise<number>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
