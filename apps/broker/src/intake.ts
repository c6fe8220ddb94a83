import type { Duplex } from 'node:stream';
import type { Arriving } from './arriving-bytes.js';
import { PacketTooLargeError, PIECE_BYTES, type FrameGuard } from './frame-guard.js';
import type { ProgressWatch, Watched } from './progress-watch.js';
import type { WebSocketFrames } from './web-socket-frames.js';

/** What a client may have sent before it is known: its CONNECT and what it does not wait for the CONNACK with. */
const MAX_EARLY_BYTES = 131_072;
/** What a packet costs that waits for the CONNACK, beside its bytes. */
const PACKET_BYTES = 512;
/** Read of a WebSocket in one go: a message may hold a million packets, and others have their turn between. */
const SLICE_BYTES = 16_384;

/** The members of Aedes' client that bytes come in by. */
interface ClientInternals {
  readonly _parser: { parse(bytes: Buffer): unknown };
  readonly _keepaliveTimer: NodeJS.Timeout | null;
  /** Reads on when there is nothing left to deal with. */
  _nextBatch(): void;
}

export interface IntakeOptions {
  readonly guard: FrameGuard;
  readonly arriving: Arriving;
  /** Of a WebSocket. */
  readonly frames: WebSocketFrames | undefined;
  readonly watch: ProgressWatch;
  readonly onLimit: (detail: string) => void;
  readonly onError: (error: Error) => void;
}

/**
 * The way of a connection's bytes to Aedes' parser: through the guard, and counted as long as they are kept. A packet that
 * has begun has to go on, however slowly: what counts as progress is a byte.
 */
export class Intake implements Watched {
  readonly #parse: (bytes: Buffer) => unknown;
  #early: { bytes: number; pieces: number } | undefined = { bytes: 0, pieces: 0 };
  readonly #client: ClientInternals;
  #isWatched = false;

  constructor(
    client: object,
    private readonly stream: Duplex,
    private readonly options: IntakeOptions,
  ) {
    this.#client = client as ClientInternals;
    const { _parser: parser } = this.#client;
    this.#parse = parser.parse.bind(parser);
    parser.parse = (bytes) => {
      this.#take(bytes);
      return 0;
    };
    const { frames } = options;
    if (frames !== undefined) {
      this.#readInSlices();
      frames.onArrived = () => this.#progressed();
    }
    stream.once('close', () => options.watch.done(this));
  }

  /** The client is connected: what it has begun counts for its principal from now on. */
  known(principal: string): void {
    const { arriving, frames } = this.options;
    this.#early = undefined;
    arriving.known(principal);
    frames?.known(principal);
    this.#count();
  }

  stalled(): void {
    this.#isWatched = false;
    // It has gone on, and Pantau does not read: it has to wait for its turn, or for space on the disk.
    if (this.stream.readableLength > 0) this.#watch();
    else this.options.onLimit('stalledAfter: more of a packet that had begun did not come');
  }

  #readInSlices(): void {
    const { stream } = this;
    const read = stream.read.bind(stream);
    let isResting = false;
    stream.read = (size?: number | null): unknown => {
      if (typeof size === 'number') return read(size);
      if (isResting) return null;
      if (stream.readableLength <= SLICE_BYTES) return read();
      isResting = true;
      setImmediate(() => {
        isResting = false;
        this.#client._nextBatch();
      });
      return read(SLICE_BYTES);
    };
  }

  #take(bytes: Buffer): void {
    const { guard, frames, onLimit, onError } = this.options;
    if (frames !== undefined && this.stream.readableLength === 0) frames.read();
    try {
      const { taken } = guard;
      const pieces = guard.push(bytes);
      if (this.#early !== undefined && !this.#countEarly(this.#early, bytes)) {
        onLimit('arrivingBytes: too much before CONNACK');
        return;
      }
      if (guard.taken > taken) this.#client._keepaliveTimer?.refresh();
      for (const piece of pieces) if (!this.stream.destroyed) this.#parse(piece);
      if (this.#early === undefined) this.#count();
    } catch (error) {
      if (error instanceof PacketTooLargeError) onLimit(`packet size: ${error.message}`);
      // Thrown instead of emitted, it would reach the event loop and end the process.
      else onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #countEarly(early: { bytes: number; pieces: number }, { length }: Buffer): boolean {
    early.bytes += length;
    early.pieces++;
    const { guard, arriving } = this.options;
    const cost = early.bytes + early.pieces * PIECE_BYTES + guard.packets * PACKET_BYTES;
    return early.bytes <= MAX_EARLY_BYTES && arriving.set(cost);
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
