import type { Millis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';

/** What should run whenever Pantau runs. */
export interface Watched {
  /** Streams that each stage reads. */
  readonly stages: Readonly<Record<string, readonly StreamName[]>>;
  /** Stages of which every shard is claimed by a process that is there. */
  claimed(): Promise<ReadonlySet<string>>;
  /** By how much the event loop of each thread is late; undefined for one that does not run. */
  threads(): readonly { readonly name: string; readonly lagMs: Millis | undefined }[];
}
