import type { TimeSpan, UtcMillis } from '#libs/kernel';
import type { FaultKind } from './faults.js';

/** Holds back what is measured while the link is down. */
export class Link {
  readonly #cuts: readonly TimeSpan[];

  constructor(faults: readonly (TimeSpan & { readonly kind: FaultKind })[]) {
    this.#cuts = faults.filter(({ kind }) => kind === 'link');
  }

  /** When a message of that instant gets through. */
  deliver(at: UtcMillis): UtcMillis {
    let deliverAt = at;
    // A cut may end in the next one.
    for (let cut = this.#cutAt(deliverAt); cut !== undefined; cut = this.#cutAt(deliverAt))
      deliverAt = cut.to;
    return deliverAt;
  }

  #cutAt(at: UtcMillis): TimeSpan | undefined {
    return this.#cuts.find(({ from, to }) => at >= from && at < to);
  }
}
