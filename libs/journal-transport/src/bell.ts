/** Wakes who waits for it. What rings while nobody waits wakes who waits next. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async rung(): Promise<void> {
    if (!this.#isRung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#isRung = false;
  }
}
