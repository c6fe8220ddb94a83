import type { Spans } from '#libs/availability';
import type { TimeSpan, UtcMillis } from '#libs/kernel';
import type { HeartbeatState, JournalRef, Parameter } from '#libs/telemetry';
import type { Sample } from './hourly-rollup.js';
import type { Intervals } from './intervals.js';

/** One heartbeat with the journal entry that holds it. */
export interface HeartbeatInput extends JournalRef {
  readonly ts: UtcMillis;
  readonly state: HeartbeatState;
}

/** A series of a device: readings of a parameter, or its heartbeats. */
export type SeriesName = Parameter | 'heartbeat';

/** What is known of one of the devices that an indicator is about. */
export interface DeviceInputs {
  readonly site: string;
  readonly device: string;
  /** One value a timestamp, in order of time. */
  samples(parameter: Parameter, span: TimeSpan): Promise<readonly Sample[]>;
  heartbeats(span: TimeSpan): Promise<readonly HeartbeatInput[]>;
  /** How often it promised to report, and since when. */
  intervals(): Promise<Intervals>;
  /** When it was registered; undefined where that is not recorded. */
  registered(): Promise<UtcMillis | undefined>;
  /** When it was shut out. */
  outOfService(): Promise<Spans>;
  /** First and last instant of a series; undefined without any. */
  reach(series: SeriesName): Promise<TimeSpan | undefined>;
  /** When Pantau was awake and listening. */
  observed(): Promise<Spans>;
  /** The newest instant of Pantau's own life; 0 without any. */
  awakeUntil(): Promise<UtcMillis>;
}
