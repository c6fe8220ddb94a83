/** What a packet was when it was too large to be taken whole. */
export interface Truncation {
  /** Number of the PUBLISH within its connection, from 0. */
  readonly publish: number;
  /** Bytes of its variable header and payload, as the client sent them. */
  readonly bytes: number;
}

/** A whole PUBLISH of QoS 1 that is not to be retained, where it lies in the bytes that came. */
export interface DirectPublish {
  readonly bytes: Buffer;
  readonly dup: boolean;
  readonly topicAt: number;
  readonly topicEnd: number;
  readonly messageId: number;
  readonly payloadAt: number;
  readonly end: number;
}

/**
 * Takes a message past the parser, or leaves it to the parser.
 *
 * @param passed - how many PUBLISH packets the parser was given before it
 */
export type TakeDirectly = (publish: DirectPublish, passed: number) => boolean;

/** A packet other than PUBLISH, or one of a client that is not connected yet, that is larger than any of its kind. */
export class PacketTooLargeError extends Error {}

const PUBLISH = 3;
const MAX_HEADER_BYTES = 5;
/** Kept of a PUBLISH that is too large: its topic, and enough of the payload to show. */
export const KEPT_BYTES = 8_192;
/** SUBSCRIBE and CONNECT are the largest of the others. */
const MAX_CONTROL_BYTES = 65_536;
/** A PUBLISH that is not larger is waited for until it is whole. Small, because it is copied whenever a piece comes. */
const MAX_DIRECT_BYTES = 4_096;
/** What a piece of a packet costs beside its bytes: a buffer and what the system keeps of it (measured: 970 bytes). */
export const PIECE_BYTES = 1_024;
/** Packets that the parser is given in one go; each costs a hundred times its bytes until it is dealt with. */
const MAX_PACKETS = 64;
/** First bytes of a PUBLISH of QoS 1 without the flag to retain it; without DUP and with it. */
const DIRECT_PUBLISH = 0x32;
const DUP = 0x08;

/**
 * Reads the lengths of the packets in a byte stream as it passes, before a parser buffers them. A PUBLISH beyond the
 * limit is cut: its beginning passes as a smaller packet, the rest is dropped byte by byte. So it is acknowledged and
 * set aside like every other bad message, and costs the memory of its beginning alone.
 *
 * Whole messages of the common kind are offered to `takeDirectly` first: what is taken, the parser does not see.
 */
export class FrameGuard {
  /** Cut packets that {@link takeTruncation} has not asked for. */
  readonly #truncations: Truncation[] = [];
  #held: Buffer | undefined;
  #pass = 0;
  #drop = 0;
  #publishes = 0;
  #taken = 0;
  #packets = 0;
  #keptBytes = 0;
  #rest: Buffer | undefined;

  constructor(
    private readonly maxPublishBytes: number,
    private readonly takeDirectly?: TakeDirectly,
  ) {}

  /** Messages that were taken directly, in all. */
  get taken(): number {
    return this.#taken;
  }

  /** Packets that the parser was given, in all. */
  get packets(): number {
    return this.#packets;
  }

  /** Those of them that the parser has whole. */
  get wholePackets(): number {
    return this.#pass > 0 ? this.#packets - 1 : this.#packets;
  }

  /** What {@link push} left of the bytes because they were too many packets; to be pushed again when others had their turn. */
  takeRest(): Buffer | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest;
  }

  /** What is kept here, and by the parser, of a packet that is not whole. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether a packet has begun of which more is to come. */
  get isWithinPacket(): boolean {
    return this.#pass > 0 || this.#drop > 0 || this.#held !== undefined;
  }

  /**
   * @returns what the parser shall see, in its order
   * @throws PacketTooLargeError
   */
  push(arrived: Buffer): readonly Buffer[] {
    const chunk = this.#held === undefined ? arrived : Buffer.concat([this.#held, arrived]);
    this.#held = undefined;
    const pieces: Buffer[] = [];
    let start = 0;
    let at = 0;
    /** Where the packet that is read now begins in the chunk. */
    let begin = 0;
    const most = this.#packets + MAX_PACKETS;
    // Nothing overtakes a packet that the parser has yet to see.
    let isDirect = this.takeDirectly !== undefined && this.#pass === 0 && this.#drop === 0;
    while (at < chunk.length) {
      if (this.#pass > 0) {
        const n = Math.min(this.#pass, chunk.length - at);
        this.#pass -= n;
        at += n;
      } else if (this.#drop > 0) {
        add(pieces, chunk.subarray(start, at));
        const n = Math.min(this.#drop, chunk.length - at);
        this.#drop -= n;
        at += n;
        start = at;
      } else {
        const header = readHeader(chunk, at);
        // Not whole yet: a header is passed on only when it is known whether it stays as it is.
        if (header === undefined) return this.#hold(chunk, start, at, pieces);
        begin = at;
        this.#keptBytes = 0;
        const { type, length, headerBytes } = header;
        isDirect &&= ((chunk[at] ?? 0) & ~DUP) === DIRECT_PUBLISH && length <= MAX_DIRECT_BYTES;
        if (isDirect) {
          const end = at + headerBytes + length;
          if (end > chunk.length) return this.#hold(chunk, start, at, pieces);
          const direct = readPublish(chunk, at, at + headerBytes, end);
          if (direct !== undefined && this.takeDirectly?.(direct, this.#publishes) === true) {
            this.#taken++;
            if (start < at) pieces.push(chunk.subarray(start, at));
            at = end;
            start = end;
            continue;
          }
          isDirect = false;
        }
        if (this.#packets >= most) {
          this.#rest = chunk.subarray(at);
          add(pieces, chunk.subarray(start, at));
          return pieces;
        }
        this.#packets++;
        const publish = type === PUBLISH ? this.#publishes++ : -1;
        if (publish >= 0 && length > this.maxPublishBytes && length > KEPT_BYTES) {
          add(pieces, chunk.subarray(start, at));
          pieces.push(Buffer.from([chunk[at] ?? 0, ...encodeLength(KEPT_BYTES)]));
          this.#truncations.push({ publish, bytes: length });
          at += headerBytes;
          start = at;
          this.#pass = KEPT_BYTES;
          this.#drop = length - KEPT_BYTES;
        } else if (publish < 0 && length > MAX_CONTROL_BYTES) {
          throw new PacketTooLargeError(`a packet of type ${type} with ${length} bytes`);
        } else {
          at += headerBytes;
          this.#pass = length;
        }
      }
    }
    if (this.#pass === 0) {
      this.#keptBytes = 0;
      add(pieces, chunk.subarray(start));
      return pieces;
    }
    // The parser keeps the end of it until the packet is whole, perhaps for long.
    const end = alone(chunk.subarray(Math.max(start, begin)));
    this.#keptBytes += end.length + PIECE_BYTES;
    add(pieces, chunk.subarray(start, chunk.length - end.length));
    add(pieces, end);
    return pieces;
  }

  #hold(chunk: Buffer, start: number, at: number, pieces: Buffer[]): readonly Buffer[] {
    add(pieces, chunk.subarray(start, at));
    this.#held = alone(chunk.subarray(at));
    this.#keptBytes = this.#held.length + PIECE_BYTES;
    return pieces;
  }

  /** What was cut of the PUBLISH with this number, asked in the order of the numbers. */
  takeTruncation(publish: number): Truncation | undefined {
    return this.#truncations[0]?.publish === publish ? this.#truncations.shift() : undefined;
  }
}

function readHeader(
  chunk: Buffer,
  at: number,
): { readonly type: number; readonly length: number; readonly headerBytes: number } | undefined {
  let length = 0;
  for (let i = 1; i < MAX_HEADER_BYTES; i++) {
    const byte = chunk[at + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (i - 1);
    // A fifth length byte is malformed; the parser says so when it sees it.
    if (byte < 0x80 || i === MAX_HEADER_BYTES - 1)
      return { type: (chunk[at] ?? 0) >> 4, length: byte < 0x80 ? length : 0, headerBytes: i + 1 };
  }
  return undefined;
}

/** Undefined when it is not well formed; the parser says why. */
function readPublish(chunk: Buffer, at: number, variable: number, end: number): DirectPublish | undefined {
  if (variable + 2 > end) return undefined;
  const topicAt = variable + 2;
  const topicEnd = topicAt + chunk.readUInt16BE(variable);
  const payloadAt = topicEnd + 2;
  if (payloadAt > end) return undefined;
  const messageId = chunk.readUInt16BE(topicEnd);
  // [MQTT-2.3.1-1]
  if (messageId === 0) return undefined;
  return { bytes: chunk, dup: ((chunk[at] ?? 0) & DUP) !== 0, topicAt, topicEnd, messageId, payloadAt, end };
}

function encodeLength(length: number): number[] {
  const bytes: number[] = [];
  let rest = length;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

function add(pieces: Buffer[], piece: Buffer): void {
  if (piece.length > 0) pieces.push(piece);
}

/** A piece that does not keep the whole buffer alive in which it came. */
function alone(piece: Buffer): Buffer {
  if (piece.buffer.byteLength <= 2 * piece.length) return piece;
  const copy = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(copy);
  return copy;
}
