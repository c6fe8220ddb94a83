import type { Millis } from '#libs/kernel';
import type { Duplex } from 'node:stream';

/** Looks at a client's progress within the time that it may make none. */
const LOOKS = 4;

/** Looks now and then whether a client reads and acknowledges, as long as something waits for it. */
export class StallWatch {
  #progress = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param afterMs - how long the client may make no progress
   * @param isWaiting - whether something waits for it
   */
  constructor(
    private readonly conn: Duplex,
    private readonly afterMs: Millis,
    private readonly isWaiting: () => boolean,
    private readonly onStalled: (detail: string) => void,
  ) {}

  /** The client has read or acknowledged something. */
  advanced(): void {
    this.#progress++;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const mark = (): string => `${this.#progress} ${unread(this.conn)}`;
    let before = mark();
    let still = 0;
    this.#timer = setInterval(() => {
      const now = mark();
      still = now === before ? still + 1 : 0;
      before = now;
      if (!this.isWaiting()) {
        this.stop();
        this.#timer = undefined;
      } else if (still >= LOOKS) {
        this.stop();
        this.onStalled(`${this.conn.writableLength} bytes wait to be read`);
      }
    }, this.afterMs / LOOKS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Bytes that the system has not taken from the connection: they become fewer while a large write is being read. */
function unread(conn: Duplex): number {
  const { _handle: handle } = conn as { _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? conn.writableLength;
}
