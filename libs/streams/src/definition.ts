/**
 * How the data of a stream is stored where that is not the data itself: as a list whose places have a meaning, which is
 * smaller than a map and takes far less to write and to read. Only for data that is never a list: an entry that is stored
 * as anything else is read as it is, so that what was written before the stream had a form stays readable.
 */
export interface StoredForm<T = unknown> {
  /** @returns plain data; `null` where something is absent */
  pack(data: T): readonly unknown[];
  /** @throws when it holds what this version does not know */
  unpack(stored: readonly unknown[]): T;
}

/** Says what is wrong with the data of an entry; undefined when whoever reads its stream can take it. */
export type StreamShape = (data: unknown) => string | undefined;

/** What appends to streams: the stages, the broker, and the libraries that keep the registry and its settings. */
export type Appender =
  'broker' | 'http-intake' | 'ingest' | 'writer' | 'tiers' | 'alerts' | 'evidence' | 'gateway' | 'identity';

/** One stream of the journal. A row of the table in `docs/architecture.md`, which is generated from it. */
export interface StreamDefinition<T = unknown> {
  /** What one entry is. */
  readonly description: string;
  /** Decides the shard, and so which entries keep their order. */
  readonly key: string;
  /** Who appends. A stage that sets an entry aside appends to `rejected` whatever stands here. */
  readonly appendedBy: readonly Appender[];
  /** Name of the type of its entries, for people. */
  readonly entry: string;
  /** `configured`: kept for ever unless the configuration says otherwise (`journal.retention`). `forever`: in any case. */
  readonly retention: 'configured' | 'forever';
  /** Only producers append to it, never a stage with its commit, so that it may lie apart from the state of the stages. */
  readonly intake?: true;
  /** What its data must be to be read, whichever version wrote it. Of every stream depth and size are looked at. */
  readonly shape: StreamShape;
  /** How its data is stored; as it is without one. */
  readonly form?: StoredForm<T>;
}
