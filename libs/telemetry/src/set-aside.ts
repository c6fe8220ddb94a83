import type { UtcMillis } from '#libs/kernel';

/**
 * `not_mapped`: nobody's topic, which no mapping reads. `topic_not_allowed`: a topic of somebody else, or of Pantau
 * itself.
 */
export type SetAsideReason = 'not_mapped' | 'topic_not_allowed';

/**
 * What somebody published on one topic that is not a topic of theirs: acknowledged, delivered to nobody. Of its messages
 * the number, the times and one sample are kept.
 */
export interface SetAsideTopic {
  readonly reason: SetAsideReason;
  /** What is the matter with the topic. */
  readonly detail: string;
  /** The device or account that published. */
  readonly sender: string;
  /** Site of a device. */
  readonly site?: string;
  /** Its beginning where it is very long; absent for topics beyond the bound of a sender, which are counted together. */
  readonly topic?: string;
  /** The name that a mapping read in the topic, where it is no registered device's. */
  readonly unknownName?: string;
  readonly count: number;
  readonly firstAt: UtcMillis;
  readonly lastAt: UtcMillis;
  /** The first message, or its beginning. */
  readonly sample: Uint8Array;
  /** Length of that message. */
  readonly sampleBytes: number;
  /** Whether that message was to be retained. */
  readonly retain: boolean;
  /** Of {@link count}: what the stream `rejected` has of it. */
  readonly reported: number;
}
