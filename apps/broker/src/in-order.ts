/**
 * Brings what ends in any order into the order in which it began: PUBACKs and PUBRECs go out in the order of the messages
 * [MQTT-4.6.0-2], whichever of several ways to the disk a message took.
 */
export class InOrder {
  readonly #places: { settle: (() => void) | undefined }[] = [];

  /** Takes the next place. @returns to be called once with what is to be done when those before are done */
  place(): (settle: () => void) => void {
    const place: { settle: (() => void) | undefined } = { settle: undefined };
    this.#places.push(place);
    return (settle) => {
      place.settle = settle;
      while (this.#places[0]?.settle !== undefined) this.#places.shift()?.settle?.();
    };
  }
}
