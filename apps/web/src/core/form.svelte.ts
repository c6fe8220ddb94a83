import { problemOf, type Problem } from '../api/problem';

/** 128 random bits, in hexadecimal. Also where a page without TLS has no `crypto.randomUUID`. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** A form that is sent once however often it is pressed, keeps what was typed, and shows what is wrong at the field. */
export class Form {
  #busy = $state(false);
  #problem = $state.raw<Problem>();
  #sent = '';
  #key = '';

  get busy(): boolean {
    return this.#busy;
  }

  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** What is wrong with a member of the body. */
  error(field: string): string | undefined {
    return this.#problem?.errors.find((one) => one.field === field || one.field.startsWith(`${field}.`))
      ?.message;
  }

  /**
   * @param body - what is sent; the same again has the same key, so that Pantau does it once
   * @returns whether it was done
   */
  async send<B>(body: B, run: (body: B, key: string) => Promise<unknown>): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    const text = JSON.stringify(body);
    if (text !== this.#sent || this.#key === '') [this.#sent, this.#key] = [text, randomKey()];
    try {
      await run(body, this.#key);
      this.#problem = undefined;
      this.#key = '';
      return true;
    } catch (error) {
      this.#problem = problemOf(error);
      // It was answered, so nothing of it was done: the next try is a new one.
      if (this.#problem.status >= 400 && this.#problem.status < 500) this.#key = '';
      return false;
    } finally {
      this.#busy = false;
    }
  }
}
