import type { ConnectionChange, Spans } from '#libs/availability';
import type { TimeSpan, UtcMillis } from '#libs/kernel';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import type { Parameter } from '#libs/telemetry';

/**
 * Where the inputs of an indicator come from: the evidence stage's state, or the journal itself when somebody wants to
 * check. Both must give the same.
 */
export interface EvidenceSource {
  /** One value a timestamp; of several the one that was appended last. */
  samples(device: string, parameter: Parameter, span: TimeSpan): Promise<Sample[]>;
  heartbeats(device: string, span: TimeSpan): Promise<HeartbeatInput[]>;
  /** When Pantau was awake and listening. */
  observed(): Promise<Spans>;
  /** When each run of Pantau was. */
  runs(): Promise<ReadonlyMap<string, Spans>>;
  /** In the order of the journal, with those of the last hour before the span that had any. */
  connections(device: string, span: TimeSpan): Promise<readonly ConnectionChange[]>;
  /** First and last instant that the device ever reported, to the hour; undefined when it never did. */
  reach(device: string, series: Parameter | 'heartbeat'): Promise<TimeSpan | undefined>;
  /** Whether it ever measured or said anything, of whatever series. */
  hasReported(device: string): Promise<boolean>;
  /** The newest instant of Pantau's own liveness; 0 without any. */
  awakeUntil(): Promise<UtcMillis>;
}
