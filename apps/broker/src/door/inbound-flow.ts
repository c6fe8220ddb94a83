import type { Duplex } from 'node:stream';
import type { Arriving } from './arriving-bytes.js';
import { PacketTooLargeError, PIECE_BYTES, type FrameGuard } from './frame-guard.js';
import type { ProgressWatch, Watchable } from './progress-watch.js';
import { Share, type Quota } from '../quota.js';
import type { WebSocketFrames } from './web-socket-frames.js';

/** What a client may have sent before it is known: its CONNECT and what it does not wait for the CONNACK with. */
const MAX_EARLY_BYTES = 131_072;
/** What a packet costs until it is dealt with, beside its bytes. */
const PACKET_BYTES = 512;
/** Read in one go of a connection that sends more than can be dealt with in one. */
const SLICE_BYTES = 65_536;

/** Packets, and their bytes, that may be dealt with at a time; more is read when all of them are done with. */
const MAX_OPEN_PACKETS = 1_000;
const MAX_OPEN_BYTES = 1_048_576;
/** Of one connection dealt with at a time whatever others have open: messages as devices send them. */
const ALWAYS_BYTES = 4_096;

/** The members of Aedes' client that bytes come in by. */
interface InboundInternals {
  readonly _parser: { parse(bytes: Buffer): unknown };
  readonly _keepaliveTimer: NodeJS.Timeout | null;
  /** A packet is dealt with. Reads on when there is none left, and at times before. */
  _nextBatch: (error?: Error | null) => void;
}

export interface IntakeOptions {
  readonly guard: FrameGuard;
  readonly arriving: Arriving;
  /** Of a WebSocket. */
  readonly frames: WebSocketFrames | undefined;
  readonly watch: ProgressWatch;
  /** What is being dealt with, of all connections. */
  readonly inProgress: Quota;
  readonly onLimit: (detail: string) => void;
  readonly onError: (error: Error) => void;
}

/**
 * The way of a connection's bytes to Aedes' parser: through the guard, and counted as long as they are kept. A packet that
 * has begun has to go on, however slowly: what counts as progress is a byte.
 */
export class InboundFlow implements Watchable {
  readonly #parse: (bytes: Buffer) => unknown;
  #early: { bytes: number; pieces: number } | undefined = { bytes: 0, pieces: 0 };
  readonly #client: InboundInternals;
  #isWatched = false;
  readonly #nextBatch: () => void;
  #isResting = false;
  #hasRested = false;
  /** Packets that are dealt with, and how many there were when last all were. */
  #done = 0;
  #allDone = 0;
  /** Given to the parser since then. */
  #bytes = 0;
  /** Of messages that go past the parser. */
  #directBytes = 0;
  /** What all of that counts for whoever the client is; nothing before it is known, when all that it sent counts. */
  #open: Share | undefined;
  #isWaiting = false;

  constructor(
    client: object,
    private readonly stream: Duplex,
    private readonly options: IntakeOptions,
  ) {
    this.#client = client as InboundInternals;
    const { _parser: parser } = this.#client;
    this.#parse = parser.parse.bind(parser);
    parser.parse = (bytes) => {
      this.#take(bytes);
      return 0;
    };
    // Whatever comes in a segment of its own, Aedes reads, and has it wait behind what is not durable yet, or too fast.
    const { _nextBatch: nextBatch } = this.#client;
    this.#nextBatch = nextBatch;
    this.#client._nextBatch = (error) => {
      this.#dealtWith();
      nextBatch(error);
    };
    if (options.frames !== undefined) options.frames.onArrived = () => this.#progressed();
    stream.once('close', () => {
      options.watch.done(this);
      this.#open?.end();
    });
  }

  /** The client is connected: what it has begun counts for its principal from now on. */
  known(principal: string): void {
    const { arriving, frames, inProgress } = this.options;
    this.#early = undefined;
    arriving.known(principal);
    frames?.known(principal);
    if (!this.stream.destroyed) this.#open = new Share(inProgress, principal, ALWAYS_BYTES);
    this.#countOpen();
    this.#count();
  }

  /** Whether so many bytes may go past the parser. If so they count until {@link directlyDone}. */
  takeDirectly(bytes: number): boolean {
    if (this.#open?.fits(bytes + PACKET_BYTES) === false) return false;
    this.#directBytes += bytes + PACKET_BYTES;
    this.#countOpen();
    return true;
  }

  /** Messages that went past the parser are dealt with. */
  directlyDone(bytes: number, messages: number): void {
    this.#directBytes -= bytes + messages * PACKET_BYTES;
    this.#countOpen();
  }

  stalled(): void {
    this.#isWatched = false;
    // It has gone on, and Pantau does not read: it has to wait for its turn, or for space on the disk.
    if (this.stream.readableLength > 0) this.#watch();
    else this.options.onLimit('stalledAfter: more of a packet that had begun did not come');
  }

  /** Gives bytes back, and reads no more until others had their turn. */
  #rest(bytes: Buffer): void {
    const { stream } = this;
    if (!this.#hasRested) {
      this.#hasRested = true;
      const read = stream.read.bind(stream);
      stream.read = (size?: number | null): unknown => {
        if (typeof size === 'number') return read(size);
        if (this.#isResting) return null;
        // A WebSocket message may hold a million packets: read whole, it would be copied with what comes after it.
        if (stream.readableLength <= SLICE_BYTES) return read();
        this.#pause();
        return read(SLICE_BYTES);
      };
    }
    stream.unshift(bytes);
    this.#pause();
  }

  /** Nothing is read before those parts are parsed that were read: the end of a packet would overtake its beginning. */
  #pause(): void {
    this.#isResting = true;
    if (!this.#isWaiting) setImmediate(() => this.#readOn());
  }

  #readOn(): void {
    this.#isResting = false;
    this.#isWaiting = false;
    if (!this.stream.destroyed) this.#nextBatch();
  }

  #dealtWith(): void {
    const { wholePackets: packets } = this.options.guard;
    if (this.#done < packets) this.#done++;
    if (this.#done < packets) return;
    this.#allDone = packets;
    this.#bytes = 0;
    this.#countOpen();
    if (this.#isWaiting) setImmediate(() => this.#readOn());
  }

  /** Whether what was read is to be dealt with first. */
  get #hasEnough(): boolean {
    const { wholePackets: packets } = this.options.guard;
    if (this.#done >= packets) return false;
    return (
      packets - this.#allDone >= MAX_OPEN_PACKETS ||
      this.#bytes >= MAX_OPEN_BYTES ||
      this.#open?.fits(1) === false
    );
  }

  /** Counts what is open. More than fits only makes the connection wait: reading on is what it can do without. */
  #countOpen(): void {
    const packets = this.options.guard.wholePackets - this.#allDone;
    this.#open?.set(this.#bytes + packets * PACKET_BYTES + this.#directBytes);
  }

  #take(arrived: Buffer): void {
    if (this.#hasEnough) {
      this.#isWaiting = true;
      this.#rest(arrived);
      return;
    }
    // One that has nothing open goes on whatever the others have, in small parts: it waits for nobody but itself.
    const isTooMuch = arrived.length > ALWAYS_BYTES && this.#open?.fits(arrived.length) === false;
    const bytes = isTooMuch ? arrived.subarray(0, ALWAYS_BYTES) : arrived;
    if (isTooMuch) this.#rest(arrived.subarray(ALWAYS_BYTES));
    const { guard, frames, onLimit, onError } = this.options;
    try {
      const { taken } = guard;
      const pieces = guard.push(bytes);
      const rest = guard.takeRest();
      // First of all: when the last of the packets is dealt with, Aedes reads on.
      if (rest !== undefined) this.#rest(rest);
      if (frames !== undefined && this.stream.readableLength === 0) frames.read();
      if (this.#early !== undefined && !this.#countEarly(this.#early, bytes.length, rest?.length ?? 0)) {
        onLimit('arrivingBytes: too much before CONNACK');
        return;
      }
      if (guard.taken > taken) this.#client._keepaliveTimer?.refresh();
      for (const piece of pieces) {
        if (this.stream.destroyed) break;
        this.#bytes += piece.length;
        // Counted before: it may be dealt with at once.
        this.#countOpen();
        this.#parse(piece);
      }
      if (this.#early === undefined) this.#count();
    } catch (error) {
      if (error instanceof PacketTooLargeError) onLimit(`packet size: ${error.message}`);
      // Thrown instead of emitted, it would reach the event loop and end the process.
      else onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** @param rest - of the bytes, to come again */
  #countEarly(early: { bytes: number; pieces: number }, bytes: number, rest: number): boolean {
    early.bytes += bytes - rest;
    early.pieces++;
    const { guard, arriving } = this.options;
    const cost = early.bytes + rest + early.pieces * PIECE_BYTES + guard.packets * PACKET_BYTES;
    return early.bytes + rest <= MAX_EARLY_BYTES && arriving.set(cost);
  }

  #count(): void {
    const { guard, arriving, onLimit } = this.options;
    if (!arriving.set(guard.keptBytes)) onLimit('unfinishedBytes: a packet that is not whole');
    this.#progressed();
  }

  #progressed(): void {
    if (this.#early !== undefined) return;
    const { guard, frames, watch } = this.options;
    if (guard.isWithinPacket || frames?.isWithinFrame === true) {
      this.#watch();
      // An upload that takes longer than the keep-alive leaves the client no room for a PINGREQ.
      this.#client._keepaliveTimer?.refresh();
    } else if (this.#isWatched) {
      watch.done(this);
      this.#isWatched = false;
    }
  }

  #watch(): void {
    this.options.watch.progressed(this);
    this.#isWatched = true;
  }
}
