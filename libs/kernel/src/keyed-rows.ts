/** Where the rows of a key begin and end. */
interface Chain {
  readonly first: number;
  last: number;
}

/** Before each row: where the next one of its key is, and how many numbers it has. */
const HEAD = 2;
const NO_NEXT = -1;

/**
 * Rows of numbers, gathered by key in the order in which they come.
 *
 * All of them lie in one list. A list for each key would be as many objects that live until everything is gathered, and
 * the garbage collector would copy them about: with thousands of keys that takes longer than what is done with the rows.
 */
export class KeyedRows {
  readonly #numbers: number[] = [];
  readonly #chains = new Map<string, Chain>();

  /** @param row - is copied */
  add(key: string, row: readonly number[]): void {
    const numbers = this.#numbers;
    const at = numbers.length;
    const chain = this.#chains.get(key);
    if (chain === undefined) this.#chains.set(key, { first: at, last: at });
    else {
      numbers[chain.last] = at;
      chain.last = at;
    }
    numbers.push(NO_NEXT, row.length);
    for (const number of row) numbers.push(number);
  }

  /** In the order of their first rows. */
  keys(): string[] {
    return [...this.#chains.keys()];
  }

  /** The numbers of all rows of the key, one row after the other. */
  of(key: string): number[] {
    const numbers = this.#numbers;
    const found: number[] = [];
    for (let at = this.#chains.get(key)?.first ?? NO_NEXT; at !== NO_NEXT; at = numbers[at] as number) {
      const end = at + HEAD + (numbers[at + 1] as number);
      for (let i = at + HEAD; i < end; i++) found.push(numbers[i] as number);
    }
    return found;
  }
}
