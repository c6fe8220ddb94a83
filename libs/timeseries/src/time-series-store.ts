import type { TimeSpan, UtcMillis } from '#libs/kernel';
import type { Parameter, QualityFlag } from '#libs/telemetry';

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
  readonly receivedAt: UtcMillis;
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
}

/** The points that a store refused, each with the store's own words. The others of the batch are stored. */
export interface WriteReport {
  readonly refused: readonly { readonly point: Point; readonly message: string }[];
}

/**
 * Where readings can be queried. Rebuilt from the journal at any time, so it may be away: errors `STORE_UNAVAILABLE`
 * (transient: try again) and `STORE_CONFIG` (the database, bucket or token is wrong).
 */
export interface TimeSeriesStore {
  /** Which engine and where, for people: `duckdb data/readings.duckdb`, `influxdb 1.6.7 at http://…`. */
  readonly description: string;
  /** Idempotent. Resolves when every point is stored or reported as refused. */
  write(points: readonly Point[]): Promise<WriteReport>;
  /** Ordered by `ts`, then device, then parameter. */
  query(query: PointQuery): Promise<Point[]>;
  /** Number of points that match, doubles counted once. */
  count(query: Omit<PointQuery, 'limit' | 'order'>): Promise<number>;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
