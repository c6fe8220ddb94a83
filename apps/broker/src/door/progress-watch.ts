import type { Millis } from '#libs/kernel';

/** How often is looked within the time in which something has to go on. */
const LOOKS = 4;

/** Something that has begun and is to go on. */
export interface Watchable {
  /** It has not gone on for the time. */
  stalled(): void;
}

/** Notices who has begun something and does not go on with it. One timer for all, which runs while there is anybody. */
export class ProgressWatch {
  readonly #lastLook = new Map<Watchable, number>();
  #timer: NodeJS.Timeout | undefined;
  #look = 0;

  constructor(private readonly stalledAfterMs: Millis) {}

  /** It has begun, or gone on. */
  progressed(watched: Watchable): void {
    this.#lastLook.set(watched, this.#look);
    this.#timer ??= setInterval(() => this.#lookAround(), this.stalledAfterMs / LOOKS).unref();
  }

  /** It is over. */
  done(watched: Watchable): void {
    this.#lastLook.delete(watched);
  }

  #lookAround(): void {
    this.#look++;
    for (const [watched, look] of this.#lastLook) {
      if (this.#look - look <= LOOKS) continue;
      this.#lastLook.delete(watched);
      watched.stalled();
    }
    if (this.#lastLook.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
