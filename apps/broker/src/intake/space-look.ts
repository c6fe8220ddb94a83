import type { Journal } from '#libs/journal';

/** Whether the disk has space for new input, as the last look told: asked for each commit, and waited for by none. */
export class SpaceLook {
  #accepting = true;

  constructor(private readonly journal: Journal) {}

  get accepting(): boolean {
    this.journal.space().then(
      ({ accepting }) => (this.#accepting = accepting),
      // The journal is closed.
      () => undefined,
    );
    return this.#accepting;
  }
}
