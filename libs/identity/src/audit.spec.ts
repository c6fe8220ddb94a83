import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
import { Audit } from './audit.js';

const ATTEMPT = {
  from: '10.0.0.1',
  action: 'POST /api/v1/links',
  on: {},
  result: 'refused',
  status: 404,
} as const;
const NOBODY = { kind: 'nobody', name: '' } as const;
const ANI = { kind: 'user', name: 'ani' } as const;

describe('the audit log', () => {
  it('counts what nobody known tries too often, does not grow with it, and keeps no known one out', async () => {
    using folder = temporaryFolder('audit');
    const state = LmdbStateStore.open(folder.path);
    const clock = { at: 1_700_000_000_000, now: () => clock.at };
    const journal = await LmdbJournal.open({ state, clock, shards: 4 });
    const audit = new Audit(journal, state, clock);
    const newest = async (limit: number): Promise<readonly unknown[]> =>
      (await audit.page({ limit }, () => undefined)).items;
    try {
      for (let i = 0; i < 130; i++) await audit.record({ ...ATTEMPT, by: NOBODY });
      expect(await newest(1_000)).toHaveLength(100);
      await audit.record({ ...ATTEMPT, by: ANI });
      expect(await newest(2)).toEqual([
        { ...ATTEMPT, by: ANI, at: clock.at, omitted: 30 },
        { ...ATTEMPT, by: NOBODY, at: clock.at },
      ]);
      clock.at += 1_000;
      await audit.record({ ...ATTEMPT, by: NOBODY });
      expect(await newest(1)).toEqual([{ ...ATTEMPT, by: NOBODY, at: clock.at }]);

      const { items } = await audit.page(
        { limit: 9, result: 'refused', by: 'ani', to: clock.at },
        () => undefined,
      );
      expect(items).toMatchObject([{ by: ANI, at: clock.at - 1_000 }]);
      expect((await audit.page({ limit: 9, from: clock.at }, () => undefined)).items).toMatchObject([
        { by: NOBODY },
      ]);
      expect((await audit.page({ limit: 9, result: 'done' }, () => undefined)).items).toEqual([]);

      // One who is known and is refused for ever fills no disk either; what is done is recorded, whoever does it.
      clock.at += 3_600_000;
      const before = (await newest(10_000)).length;
      for (let i = 0; i < 400; i++) await audit.record({ ...ATTEMPT, by: ANI });
      expect(await newest(10_000)).toHaveLength(before + 300);
      for (let i = 0; i < 200; i++)
        await audit.record({ ...ATTEMPT, by: NOBODY, result: 'done', status: 201 });
      expect(await newest(10_000)).toHaveLength(before + 500);
    } finally {
      await journal.close();
      await state.close();
    }
  });
});
