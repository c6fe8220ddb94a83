import { LmdbStateStore } from '#libs/engine-lmdb';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import { StageCache, StageState } from './stage-state.js';

/** A real store that counts what is read of it. */
function open(): AsyncDisposable & { store: LmdbStateStore; reads: string[] } {
  const folder = temporaryFolder('stage-state');
  const store = LmdbStateStore.open(folder.path);
  const reads: string[] = [];
  const getMany = store.getMany.bind(store);
  store.getMany = (namespace, keys) => {
    reads.push(...keys);
    return getMany(namespace, keys);
  };
  return {
    store,
    reads,
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('StageState', () => {
  it('sees its own writes, deletions too, and forgets them when the batch fails', async () => {
    await using fixture = open();
    await fixture.store.write([
      { namespace: 'n', key: 'a', value: 1 },
      { namespace: 'n', key: 'b', value: 2 },
    ]);
    const cache = new StageCache();
    const state = new StageState(fixture.store, cache);
    state.put(namespaceOf('n'), 'a', 10);
    state.delete(namespaceOf('n'), 'b');
    state.put(namespaceOf('n'), 'c', 30);
    expect(await state.getMany(namespaceOf('n'), ['a', 'b', 'c', 'd', 'a'])).toEqual([
      10,
      undefined,
      30,
      undefined,
      10,
    ]);
    expect(await state.get(namespaceOf('other'), 'a')).toBeUndefined();
    expect(state.writes()).toEqual([
      { namespace: 'n', key: 'a', value: 10 },
      { namespace: 'n', key: 'b', value: undefined },
      { namespace: 'n', key: 'c', value: 30 },
    ]);
    const again = new StageState(fixture.store, cache);
    expect(await again.getMany(namespaceOf('n'), ['a', 'b', 'c'])).toEqual([1, 2, undefined]);
  });

  it('keeps what is used and lets go what is not, however few values there are', async () => {
    await using fixture = open();
    const cache = new StageCache();
    const batch = async (keys: readonly string[], entries: number): Promise<void> => {
      const state = new StageState(fixture.store, cache);
      await state.getMany(namespaceOf('n'), keys);
      state.settle(entries);
    };
    await batch(['used', 'over'], 1);
    for (let i = 0; i < 5; i++) await batch(['used'], 20_000);
    expect(fixture.reads).toEqual(['used', 'over']);
    await batch(['used', 'over'], 1);
    expect(fixture.reads).toEqual(['used', 'over', 'over']);
  });

  it('holds no more values than two generations, however many one batch reads', async () => {
    await using fixture = open();
    const cache = new StageCache();
    const keys = Array.from({ length: 30_000 }, (_, i) => `key-${i}`);
    const state = new StageState(fixture.store, cache);
    await state.getMany(namespaceOf('n'), keys);
    await state.getMany(namespaceOf('n'), keys);
    expect(fixture.reads).toHaveLength(30_000);
    state.settle(1);
    const next = new StageState(fixture.store, cache);
    await next.get(namespaceOf('n'), 'another');
    next.settle(20_000);
    await new StageState(fixture.store, cache).getMany(namespaceOf('n'), keys.slice(0, 10));
    expect(fixture.reads).toHaveLength(30_010);
  });
});
