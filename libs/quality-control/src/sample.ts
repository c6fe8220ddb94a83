import type { UtcMillis } from '#libs/kernel';

/** One value of one parameter of one device. */
export interface TimedValue {
  /** Device time: the event time of every series test. */
  readonly ts: UtcMillis;
  /** In the unit of the parameter. */
  readonly value: number;
}
