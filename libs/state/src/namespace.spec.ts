import { LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
import { z } from 'zod';
import { defineNamespace } from './namespace.js';

interface Visit {
  readonly at: number;
  readonly by: string;
}

const VISITS = defineNamespace<Visit>({
  name: 'spec/visits',
  owner: 'pantau',
  key: 'place',
  value: 'Visit',
  description: 'Of a spec.',
  bound: { rowsFor: 'a spec' },
  shape: z.object({ by: z.string() }),
});

describe('a namespace', () => {
  it('gives what was stored under its name, and lets nothing of another type compile', async () => {
    using folder = temporaryFolder('state');
    const store = LmdbStateStore.open(folder.path);
    try {
      await store.write([VISITS.put('a', { at: 1, by: 'ani' }), VISITS.put('b', { at: 2, by: 'budi' })]);
      await store.write([VISITS.remove('b')]);
      // @ts-expect-error -- at is no text
      await store.write([VISITS.put('c', { at: 'now', by: 'ani' })]);
      // @ts-expect-error -- a visit is no number
      const wrong: number | undefined = await store.get(VISITS, 'a');
      // @ts-expect-error -- nor a part of one, which would let parts be put
      await store.get<Pick<Visit, 'at'>>(VISITS, 'a');
      expect(wrong).toEqual({ at: 1, by: 'ani' });
      expect((await store.list(VISITS)).map(({ key }) => key)).toEqual(['a', 'c']);
      // The stored form: what older versions wrote is found under the same name.
      expect(VISITS.put('a', { at: 3, by: 'ani' })).toEqual({
        namespace: 'spec/visits',
        key: 'a',
        value: { at: 3, by: 'ani' },
      });
    } finally {
      await store.close();
    }
  });
});
