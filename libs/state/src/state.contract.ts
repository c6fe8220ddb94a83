import { namespaceOf } from '#libs/testing';
import fc from 'fast-check';
import { changeRow } from './change-row.js';
import type { StateStore } from './state-store.js';

export interface StateStoreFixture extends AsyncDisposable {
  readonly store: StateStore;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<StateStore>;
}

/** What every engine of {@link StateStore} must do. */
export function describeStateStoreContract(name: string, open: () => Promise<StateStoreFixture>): void {
  describe(`${name} fulfils StateStore`, () => {
    it('returns what was written, as plain data, and undefined for the rest', async () => {
      await using fixture = await open();
      const value = {
        text: 'asap',
        list: [1, 2.5, -3],
        nested: { yes: true, none: null },
        at: 1_700_000_000_123,
      };
      await fixture.store.write([{ namespace: 'a', key: 'k', value }]);
      expect(await fixture.store.get(namespaceOf('a'), 'k')).toEqual(value);
      expect(await fixture.store.get(namespaceOf('b'), 'k')).toBeUndefined();
      expect(await fixture.store.getMany(namespaceOf('a'), ['x', 'k'])).toEqual([undefined, value]);
    });

    it('deletes a key whose written value is undefined', async () => {
      await using fixture = await open();
      await fixture.store.write([{ namespace: 'a', key: 'k', value: 1 }]);
      await fixture.store.write([{ namespace: 'a', key: 'k', value: undefined }]);
      expect(await fixture.store.get(namespaceOf('a'), 'k')).toBeUndefined();
    });

    it('lists by prefix, bounds, limit and direction, within one namespace', async () => {
      await using fixture = await open();
      const keys = ['a', 'ab', 'abc', 'b', 'c/1', 'c/2'];
      await fixture.store.write([
        ...keys.map((key) => ({ namespace: 'n', key, value: key })),
        { namespace: 'm', key: 'ab', value: 'other' },
        { namespace: 'o', key: 'ab', value: 'other' },
      ]);
      const list = async (options: Parameters<StateStore['list']>[1]): Promise<string[]> =>
        (await fixture.store.list<string>(namespaceOf('n'), options)).map((entry) => entry.key);
      expect(await list({})).toEqual(keys);
      expect(await list({ prefix: 'a' })).toEqual(['a', 'ab', 'abc']);
      expect(await list({ prefix: 'c/', reverse: true })).toEqual(['c/2', 'c/1']);
      expect(await list({ from: 'ab', to: 'c/2' })).toEqual(['ab', 'abc', 'b', 'c/1']);
      expect(await list({ from: 'ab', to: 'c/2', reverse: true, limit: 2 })).toEqual(['c/1', 'b']);
    });

    it('puts a key once when asked to put it if absent, also under a race', async () => {
      await using fixture = await open();
      const outcomes = await Promise.all(
        [1, 2, 3].map((n) => fixture.store.putIfAbsent(namespaceOf('a'), 'k', n)),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await fixture.store.get(namespaceOf('a'), 'k')).toBe(outcomes.indexOf(true) + 1);
    });

    it('writes by rows that were read while all of them are as they were, and else nothing', async () => {
      await using fixture = await open();
      const { store } = fixture;
      const names = namespaceOf<object>('n');
      const row = { name: 'ani', digest: Buffer.from([1, 2]), list: [1] };
      expect(await store.writeIf([names.seen('a', undefined)], [names.put('a', row)])).toBe(true);
      expect(await store.writeIf([names.seen('a', undefined)], [names.put('a', { name: 'x' })])).toBe(false);
      const read = await store.get(names, 'a');
      const both = [names.seen('a', read), names.seen('b', undefined)];
      await store.write([names.put('b', { name: 'budi' })]);
      const writes = [names.put('a', { name: 'x' }), names.put('c', { name: 'x' })];
      expect(await store.writeIf(both, writes)).toBe(false);
      expect(await store.getMany(names, ['a', 'c'])).toEqual([row, undefined]);
      expect(await store.writeIf(both.slice(0, 1), writes)).toBe(true);
      const seen = names.seen('c', await store.get(names, 'c'));
      expect(await store.writeIf([seen], [names.remove('c')])).toBe(true);
      expect(await store.getMany(names, ['a', 'c'])).toEqual([{ name: 'x' }, undefined]);
    });

    it('loses none of the changes that are decided at the same instant by what a row holds', async () => {
      await using fixture = await open();
      const { store } = fixture;
      const counts = namespaceOf<{ n: number }>('n');
      const add = () => changeRow(store, counts, 'k', (before) => ({ n: (before?.n ?? 0) + 1 }));
      await Promise.all(Array.from({ length: 20 }, add));
      expect(await store.get(counts, 'k')).toEqual({ n: 20 });
      await changeRow(store, counts, 'k', () => undefined);
      expect(await store.get(counts, 'k')).toBeUndefined();
    });

    it('keeps everything across a restart', async () => {
      await using fixture = await open();
      await fixture.store.write([{ namespace: 'a', key: 'k', value: [1, 2] }]);
      const again = await fixture.reopen();
      expect(await again.get(namespaceOf('a'), 'k')).toEqual([1, 2]);
    });

    it('answers as an ordered map does, for any sequence of writes', async () => {
      await using fixture = await open();
      let run = 0;
      const key = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '/', '0') });
      const write = fc.record({ key, value: fc.option(fc.integer(), { nil: undefined }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(write, { maxLength: 20 }),
          key,
          fc.boolean(),
          async (writes, prefix, reverse) => {
            const namespace = `run-${run++}`;
            const model = new Map<string, number>();
            for (const { key, value } of writes) {
              if (value === undefined) model.delete(key);
              else model.set(key, value);
            }
            await fixture.store.write(writes.map((w) => ({ namespace, ...w })));
            const expected = [...model]
              .filter(([k]) => k.startsWith(prefix))
              .sort(([a], [b]) => (a < b ? -1 : 1));
            if (reverse) expected.reverse();
            const listed = await fixture.store.list<number>(namespaceOf(namespace), { prefix, reverse });
            expect(listed.map((entry) => [entry.key, entry.value])).toEqual(expected);
          },
        ),
        { numRuns: 50 },
      );
    });

    it('refuses every call after it was closed', async () => {
      await using fixture = await open();
      await fixture.store.close();
      await expect(fixture.store.get(namespaceOf('a'), 'k')).rejects.toMatchObject({ code: 'STATE_CLOSED' });
      await expect(fixture.store.write([])).rejects.toMatchObject({ code: 'STATE_CLOSED' });
    });
  });
}
