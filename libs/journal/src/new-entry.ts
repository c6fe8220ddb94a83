/** Names of streams, of a journal with entries of these types. */
export type NameIn<Types> = keyof Types & string;

/** What a producer appends. */
export interface NewEntry<T = unknown> {
  /** Decides the shard and so the order: entries of one key keep the order in which they were appended. The device id. */
  readonly key: string;
  /** Plain data: objects, arrays, strings, finite numbers, booleans, null, Uint8Array. */
  readonly data: T;
}

/**
 * Which appends give way when space runs short. It is the producer that says so and not the stream: `rejected`, for one,
 * takes what a broker refuses to store as an uplink (new input, and as large) and what a stage sets aside while it
 * works off the backlog (which must go through, or the backlog never ends).
 */
export interface AppendOptions {
  /**
   * For new input from outside, whose sender keeps it until it is acknowledged: rejects with `JOURNAL_FULL` (transient)
   * and writes nothing while only the reserve is left. The reserve is for all who do not yield: the stages' commits,
   * signals, liveness, identity.
   */
  readonly yields?: boolean;
}
