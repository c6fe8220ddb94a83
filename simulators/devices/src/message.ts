import type { UtcMillis } from '#libs/kernel';
import type { TopicKind } from '#libs/telemetry';
import type { FaultKind } from './faults.js';

/** A message of a simulated device, and what was true when it was made. */
export interface SimulatedMessage {
  /** True time of the measurement. */
  readonly at: UtcMillis;
  /** True time at which the link lets it through; not before {@link at}. */
  readonly deliverAt: UtcMillis;
  /** What the device's clock said: `ts` of the payload. */
  readonly statedAt: UtcMillis;
  readonly kind: TopicKind;
  /** JSON, byte for byte as it is published. */
  readonly payload: string;
  /** True for the second copy of a message that is sent again. */
  readonly isRepeat: boolean;
  /** The true values of a measurement, by parameter. */
  readonly truth: Readonly<Record<string, number>>;
  /** Which fault falsified which stated value. */
  readonly faults: Readonly<Record<string, FaultKind>>;
}

/** How often a device reports, and how exactly: real timers are a little late. */
export const JITTER = 0.02;
