import { differencesOf, type Difference } from '../core/differences';
import type { Form } from '../core/form.svelte';
import { answer, type Answered } from './call';

const CHANGED_MEANWHILE = 412;

/** What must hold so that nobody's work is written over: nothing is there yet, or it is what was seen. */
export type Precondition = { readonly 'If-None-Match': '*' } | { readonly 'If-Match': string };

/**
 * A change of something that others may change, too: what they changed meanwhile is shown, and nothing typed is lost. Of what was not
 * read it is the making of it.
 */
export class Change<T extends object> {
  #seen = $state.raw<T>();
  #differences = $state.raw<readonly Difference[]>([]);
  #tag = '';

  /** @param read - the thing with its ETag */
  constructor(private readonly read: () => Promise<Answered<T>>) {}

  get seen(): T | undefined {
    return this.#seen;
  }

  /** The ETag of what was seen. */
  get tag(): string {
    return this.#tag;
  }

  get differences(): readonly Difference[] {
    return this.#differences;
  }

  /** Reads what is to be changed. @throws ProblemError */
  async begin(): Promise<T> {
    const answered = await this.read();
    const now = await answer<T>(Promise.resolve(answered));
    // Compressed on its way it is the same text.
    this.#tag = (answered.response?.headers.get('etag') ?? '').replace(/^W\//, '');
    return (this.#seen = now);
  }

  /** Sends the change of what was seen, or what is new. @returns whether it was done */
  async send<B>(
    form: Form,
    body: B,
    put: (body: B, headers: Precondition) => Promise<unknown>,
  ): Promise<boolean> {
    const before = this.#seen;
    const headers: Precondition = before === undefined ? { 'If-None-Match': '*' } : { 'If-Match': this.#tag };
    const done = await form.send(body, async () => put(body, headers));
    if (!done && before !== undefined && isRefusedByOther(form))
      this.#differences = differencesOf(before, await this.begin());
    return done;
  }
}

/** Whether somebody else had made or changed it before. */
export function isRefusedByOther(form: Form): boolean {
  return form.problem?.status === CHANGED_MEANWHILE;
}
