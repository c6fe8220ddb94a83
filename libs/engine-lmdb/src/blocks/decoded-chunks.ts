import type { StoredForm, StreamShape } from '#libs/streams';
import { decodeChunk } from './decode-chunk.js';
import { type Entry, UnreadableEntry } from '#libs/journal';

type Decoded = readonly (Entry | UnreadableEntry)[];

/**
 * Decoded chunks kept of which only a part was wanted: the next read begins in the middle of one. Whole ones are not, because
 * what lives longer than it must, the garbage collector copies; stages of one thread share what they read anyway.
 */
const KEPT = 64;

/** Decodes chunks, and keeps those of which the rest will be asked for. */
export class DecodedChunks {
  readonly #kept = new Map<string, Decoded>();

  constructor(
    private readonly forms: ReadonlyMap<string, StoredForm>,
    private readonly shapes: ReadonlyMap<string, StreamShape>,
  ) {}

  /** @returns whether more is wanted than the chunk holds */
  giveTo(gathering: Gathering, firstOffset: number, chunk: Buffer): boolean {
    const { stream, shard, isBackwards } = gathering;
    const key = keyOf(stream, shard, firstOffset);
    const [form, shape] = [this.forms.get(stream), this.shapes.get(stream)];
    const decoded = this.#kept.get(key) ?? decodeChunk(chunk, { stream, shard, firstOffset, form, shape });
    this.#kept.delete(key);
    const inOrder = isBackwards ? decoded.toReversed() : decoded;
    const isWhole = inOrder.every((entry) => gathering.take(entry));
    if (!isWhole) this.#keep(key, decoded);
    return isWhole && !gathering.isFull;
  }

  forget(stream: string, shard: number, firstOffset: number): void {
    this.#kept.delete(keyOf(stream, shard, firstOffset));
  }

  #keep(key: string, decoded: Decoded): void {
    this.#kept.set(key, decoded);
    if (this.#kept.size <= KEPT) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }
}

/** The entries that one read asks for: one after the other, up to the first that is not there or cannot be read. */
export class Gathering {
  readonly #entries: Entry[] = [];
  #fault: UnreadableEntry | undefined;

  /** @param expected - offset of the first entry that is asked for, which is there */
  constructor(
    readonly stream: string,
    readonly shard: number,
    private expected: number,
    private readonly limit: number,
    readonly isBackwards = false,
  ) {}

  get isFull(): boolean {
    return this.#entries.length >= this.limit;
  }

  /** @returns whether the next one is wanted as well */
  take(entry: Entry | UnreadableEntry): boolean {
    if (this.isFull) return false;
    const step = this.isBackwards ? -1 : 1;
    const beyond = (entry.offset - this.expected) * step;
    if (beyond < 0) return true;
    if (beyond > 0) return false;
    if (entry instanceof UnreadableEntry) {
      this.#fault = entry;
      return false;
    }
    this.#entries.push(entry);
    this.expected += step;
    return true;
  }

  /** @throws UnreadableEntry when the first one cannot be read */
  result<T>(): Entry<T>[] {
    if (this.#entries.length > 0) return this.#entries as Entry<T>[];
    const missing = new RangeError('no bytes are stored for it');
    throw this.#fault ?? new UnreadableEntry(this.stream, this.shard, this.expected, undefined, missing);
  }
}

function keyOf(stream: string, shard: number, firstOffset: number): string {
  return `${stream}/${shard}/${firstOffset}`;
}
