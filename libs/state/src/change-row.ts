import type { Namespace } from './namespace.js';
import type { StateStore } from './state-store.js';

/**
 * Changes a row by what it holds, so that none of two changes at the same instant is undone: when somebody else changed it in
 * between, it is read and decided again.
 *
 * @param decide - what the row holds from now on; the same object for no change, undefined to remove it. May be asked more than once
 * @returns what it holds now
 */
export async function changeRow<T>(
  state: StateStore,
  namespace: Namespace<T>,
  key: string,
  decide: (before: T | undefined) => T | undefined,
): Promise<T | undefined> {
  for (;;) {
    const before = await state.get(namespace, key);
    const after = decide(before);
    if (after === before) return before;
    const write = after === undefined ? namespace.remove(key) : namespace.put(key, after);
    if (await state.writeIf([namespace.seen(key, before)], [write])) return after;
  }
}
