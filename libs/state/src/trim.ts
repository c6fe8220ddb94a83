import { sortable, type UtcMillis } from '#libs/kernel';
import type { AgeBound } from './bound.js';
import type { Namespace } from './namespace.js';
import type { StateStore } from './state-store.js';

/** Rows that are looked at together. */
const BATCH = 500;

/** Rows that go by their age, for whoever runs the stage that writes them. */
export interface AgedRows {
  /** Of the namespace. */
  readonly name: string;
  /** They go with the entries of this stream. */
  readonly stream: string;
  /**
   * Removes the rows that are older. Costs what it removes and a look at each name that stands before a time; a row that is
   * changed meanwhile stays until the next time.
   *
   * @returns how many rows
   */
  trim(state: StateStore, before: UtcMillis): Promise<number>;
}

/** @throws Error where rows of this namespace do not go by their age */
export function agedRows<T>(namespace: Namespace<T>): AgedRows {
  const { name, bound } = namespace.definition;
  if (!('stream' in bound)) throw new Error(`rows of ${name} do not go by their age`);
  return {
    ...{ name, stream: bound.stream },
    async trim(state, before) {
      if (bound.isGrouped !== true) return trimGroup(state, namespace, bound, '', before);
      let removed = 0;
      for (let from = ''; ;) {
        const [first] = await state.list(namespace, { from, limit: 1 });
        if (first === undefined) return removed;
        const name = first.key.slice(0, first.key.indexOf('/'));
        removed += await trimGroup(state, namespace, bound, `${name}/`, before);
        // What comes after the slash.
        from = `${name}0`;
      }
    },
  };
}

async function trimGroup<T>(
  state: StateStore,
  namespace: Namespace<T>,
  bound: AgeBound<T>,
  prefix: string,
  before: UtcMillis,
): Promise<number> {
  const { keepsNewest } = bound;
  const to = prefix + sortable(before);
  let removed = 0;
  for (let from = prefix; ;) {
    const rows = await state.list(namespace, { from, to, limit: BATCH });
    const last = rows.at(-1);
    // The last one may be the newest: it is looked at again with those behind it.
    const old = keepsNewest === true ? rows.slice(0, -1) : rows;
    const over = old.filter(({ value }) => bound.isOver?.(value, before) ?? true);
    const seen = over.map(({ key, value }) => namespace.seen(key, value));
    const removals = over.map(({ key }) => namespace.remove(key));
    if (over.length > 0 && (await state.writeIf(seen, removals))) removed += over.length;
    if (last === undefined || rows.length < BATCH) return removed;
    from = keepsNewest === true ? last.key : `${last.key}\0`;
  }
}
