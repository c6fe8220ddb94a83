/**
 * Brings what ends in any order into the order in which it began: PUBACKs and PUBRECs go out in the order of the messages
 * [MQTT-4.6.0-2], whichever of several ways to the disk a message took.
 */
export class InOrder {
  readonly #places: { settle: (() => void) | undefined }[] = [];

  /** @param isHeld - whether something older is under way that has no place here; {@link release} when it no longer is */
  constructor(private readonly isHeld: () => boolean = () => false) {}

  /** Takes the next place. @returns to be called once with what is to be done when those before are done */
  place(): (settle: () => void) => void {
    const place: { settle: (() => void) | undefined } = { settle: undefined };
    this.#places.push(place);
    return (settle) => {
      place.settle = settle;
      this.release();
    };
  }

  /** Settles what can be settled now. */
  release(): void {
    while (this.#places[0]?.settle !== undefined && !this.isHeld()) this.#places.shift()?.settle?.();
  }
}
