import type { Millis } from '#libs/kernel';
import { BroadcastChannel } from 'node:worker_threads';
import { streamOf } from './lmdb-streams.js';

/**
 * Between two messages to the other threads. The first goes at once; each wakes a thread, and of a dense stream of commits most find
 * it resting.
 */
const PERIOD: Millis = 20;

type Ends = ReadonlyMap<string, number>;

/** Tells the journals of this process's other threads where shards of streams end. A channel for each stream: what a thread does not read does not wake it. */
export class ThreadNews {
  readonly #channels = new Map<string, BroadcastChannel>();
  #pending = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param folder - of the journal */
  constructor(
    private readonly folder: string,
    private readonly hear: (ends: Ends) => void,
  ) {}

  /** From now on the other threads are heard about this stream. */
  listen(stream: string): void {
    this.#channelOf(stream).onmessage = ({ data }) => this.hear(data as Ends);
  }

  tell(ends: Ends): void {
    for (const [key, end] of ends) this.#pending.set(key, end);
    if (this.#timer === undefined) this.#flushAndRest();
  }

  /** Tells what waits to be told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const byStream = new Map<string, Map<string, number>>();
    for (const [key, end] of this.#pending) {
      const stream = streamOf(key);
      byStream.set(stream, (byStream.get(stream) ?? new Map<string, number>()).set(key, end));
    }
    this.#pending = new Map();
    for (const [stream, ends] of byStream) this.#channelOf(stream).postMessage(ends);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const channel of this.#channels.values()) channel.close();
  }

  #flushAndRest(): void {
    this.flush();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size > 0) this.#flushAndRest();
    }, PERIOD).unref();
  }

  #channelOf(stream: string): BroadcastChannel {
    let channel = this.#channels.get(stream);
    if (channel === undefined) {
      channel = new BroadcastChannel(`pantau-journal ${this.folder} ${stream}`);
      channel.unref();
      this.#channels.set(stream, channel);
    }
    return channel;
  }
}
