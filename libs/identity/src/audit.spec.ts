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
    const audit = new Audit(journal, clock);
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
    } finally {
      await journal.close();
      await state.close();
    }
  });
});
