import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import type { AnyStreams } from '#libs/journal';
import { defineNamespace } from '#libs/state';
import { z } from 'zod';
import { LmdbJournal } from './lmdb-journal.js';
import { LmdbStateStore } from './lmdb-state-store.js';
import { describeStateStoreContract } from '#contracts/state';

describeStateStoreContract('LMDB', async () => {
  const folder = temporaryFolder('state');
  let store = LmdbStateStore.open(folder.path);
  return {
    store,
    async reopen() {
      await store.close();
      store = LmdbStateStore.open(folder.path);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});

describe('a value of the state that cannot be read', () => {
  const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);

  it.each([
    ['a text that ends too early', Buffer.of(0xd9, 0xff)],
    ['nested as an earlier version took it', nested(3_500)],
    ['nested deeper than a stack', nested(200_000)],
  ])('is passed over alone and told of once: %s', async (_what, bytes) => {
    using folder = temporaryFolder('state');
    const told: string[] = [];
    const store = LmdbStateStore.open(folder.path, (namespace, key) => told.push(`${namespace}/${key}`));
    await store.write(['a', 'b', 'c'].map((key) => ({ namespace: 'n', key, value: key })));
    await store.environment.root.openDB('state', { encoding: 'binary' }).put(['n', 'b'], bytes);
    for (const reverse of [false, true])
      expect(
        (await store.list(namespaceOf('n'), { reverse, limit: 2 })).map(({ key }) => key).sort(),
      ).toEqual(['a', 'c']);
    expect(await store.get(namespaceOf('n'), 'b')).toBeUndefined();
    expect(await store.getMany(namespaceOf('n'), ['a', 'b', 'c'])).toEqual(['a', undefined, 'c']);
    expect(told).toEqual(['n/b']);
    await store.write([{ namespace: 'n', key: 'b', value: 'again' }]);
    expect(await store.get(namespaceOf('n'), 'b')).toBe('again');
    await store.close();
  });

  it.each([
    ['a predicate', (value: unknown) => typeof value === 'string', 'it is no Name'],
    ['a schema', z.object({ name: z.string() }), 'it is no Name: value.name'],
  ])('is one that has another shape than its namespace declares: %s', async (_what, shape, why) => {
    using folder = temporaryFolder('state');
    const told: unknown[] = [];
    const store = LmdbStateStore.open(folder.path, (...fault) => told.push(fault));
    const good = typeof shape === 'function' ? 'ani' : { name: 'ani', more: true };
    const names = defineNamespace<unknown>({
      ...{ name: 'n', owner: 'pantau', key: 'key', value: 'Name', description: '', shape },
      bound: { rowsFor: 'a spec' },
    });
    await store.write([names.put('a', good), names.put('b', { name: 7 })]);
    expect(await store.list(names)).toEqual([{ key: 'a', value: good }]);
    expect(await store.get(names, 'b')).toBeUndefined();
    expect(await store.getMany(names, ['a', 'b', 'c'])).toEqual([good, undefined, undefined]);
    expect(told).toEqual([['n', 'b', expect.stringContaining(why)]]);
    await store.close();
  });

  it('is what its namespace says where none would open what must stay shut', async () => {
    using folder = temporaryFolder('state');
    const store = LmdbStateStore.open(folder.path, () => undefined);
    const doors = defineNamespace<{ isShut: boolean }>({
      ...{ name: 'n', owner: 'pantau', key: 'key', value: 'Door', description: '' },
      bound: { rowsFor: 'a spec' },
      shape: z.object({ isShut: z.boolean() }),
      unreadable: { isShut: true },
    });
    await store.write([doors.put('a', { isShut: false }), { namespace: 'n', key: 'b', value: 'no door' }]);
    expect(await store.getMany(doors, ['a', 'b', 'c'])).toEqual([
      { isShut: false },
      { isShut: true },
      undefined,
    ]);
    await store.close();
  });

  it.each([
    ['nested too deep', JSON.parse('['.repeat(3_500) + ']'.repeat(3_500)) as unknown],
    ['a function', { f: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['an integer of more than 64 bits', { n: 2n ** 64n }],
  ])('is refused by name before anything is written: %s', async (_what, value) => {
    using folder = temporaryFolder('state');
    const store = LmdbStateStore.open(folder.path);
    const clock = { now: () => 1 };
    const journal = await LmdbJournal.open<AnyStreams>({ state: store, clock, shards: 1 });
    const state = [
      { namespace: 'n', key: 'good', value: 1 },
      { namespace: 'n', key: 'bad', value },
    ];
    const refused = {
      code: 'STATE_VALUE_INVALID',
      message: expect.stringContaining('n/bad'),
      transient: false,
    };
    await expect(store.write(state)).rejects.toMatchObject(refused);
    await expect(store.putIfAbsent(namespaceOf('n'), 'bad', value)).rejects.toMatchObject(refused);
    const commit = { cursor: 'c', stream: 's', shard: 0, expected: 0, next: 0, state };
    await expect(journal.commit(commit)).rejects.toMatchObject(refused);
    expect(await store.list(namespaceOf('n'))).toEqual([]);
    await journal.close();
    await store.close();
  });
});

describe('LmdbStateStore', () => {
  it('says which folder it cannot open', () => {
    using folder = temporaryFolder('state');
    const file = join(folder.path, 'a-file');
    writeFileSync(file, '');
    expect(() => LmdbStateStore.open(join(file, 'data'))).toThrow(
      /DATA_DIR_UNUSABLE: cannot open .*a-file\/data/,
    );
  });

  it.each(['/proc/none/data', '/proc/none', '/dev/null/data'])('ends with an error at %s', (folder) => {
    expect(() => LmdbStateStore.open(folder)).toThrow(/DATA_DIR_UNUSABLE/);
  });
});
