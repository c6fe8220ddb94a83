import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Arriving } from './arriving-bytes.js';
import { PIECE_BYTES } from './frame-guard.js';

/** Members of ws that its types do not name. */
interface WebSocketInternals {
  readonly _receiver: { readonly _bufferedBytes: number; readonly _fragments: readonly unknown[] };
}

/** What a message that waits to be read costs beside its bytes. */
const MESSAGE_BYTES = 256;

/** Counts what is kept of a WebSocket: a frame until it is whole, and whole ones until they are read. */
export class WebSocketFrames {
  /** Told of each chunk that came. */
  onArrived: (() => void) | undefined;
  /** Chunks in which the frame lies that is not whole. */
  #frame = 0;
  /** Chunks of messages that wait to be read. */
  #unread = 0;
  #chunk = 0;
  #hasMessage = false;

  /** @param onRefused - there is no room for more */
  constructor(
    webSocket: WebSocket,
    stream: Duplex,
    private readonly arriving: Arriving,
    onRefused: () => void,
  ) {
    const receiver = (): WebSocketInternals['_receiver'] =>
      (webSocket as unknown as WebSocketInternals)._receiver;
    stream.prependListener('data', (chunk: Buffer) => {
      this.#chunk = chunk.length + PIECE_BYTES;
      this.#frame += this.#chunk;
      this.#hasMessage = false;
    });
    webSocket.on('message', () => {
      this.#unread += this.#frame - this.#chunk + MESSAGE_BYTES;
      this.#frame = this.#chunk;
      this.#hasMessage = true;
    });
    // After ws has dealt with it.
    stream.on('data', () => {
      const { _bufferedBytes: buffered, _fragments: fragments } = receiver();
      if (buffered === 0 && fragments.length === 0) {
        if (this.#hasMessage) this.#unread += this.#frame;
        this.#frame = 0;
      }
      if (this.#count()) this.onArrived?.();
      else onRefused();
    });
  }

  /** Whether a frame has begun of which more is to come. */
  get isWithinFrame(): boolean {
    return this.#frame > 0;
  }

  /** All whole messages are read. */
  read(): void {
    this.#unread = 0;
    this.#count();
  }

  /** It is known now who sends. */
  known(principal: string): void {
    this.arriving.known(principal);
  }

  #count(): boolean {
    return this.arriving.set(this.#frame + this.#unread);
  }
}
