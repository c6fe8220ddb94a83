import { namespaceOf } from '#libs/testing';
import { readAll, type JournalFixture } from './journal-fixture.contract.js';

/** A part of the contract of `Journal`: what `appendIf` does. */
export function describeConditionalAppends(name: string, open: () => Promise<JournalFixture>): void {
  describe(`${name} appends on conditions`, () => {
    it('appends with the state that follows from it while the rows are as they were read, and else does nothing', async () => {
      await using fixture = await open();
      const { journal, state } = fixture;
      const row = namespaceOf<number>('row');
      const count = (from: number | undefined, to: number): Promise<boolean> =>
        journal.appendIf('out', [{ key: 'a', data: { n: to } }], [row.seen('k', from)], [row.put('k', to)]);
      expect(await Promise.all([count(undefined, 1), count(undefined, 2), count(undefined, 3)])).toEqual([
        ...[true, false, false],
      ]);
      expect(await count(1, 4)).toBe(true);
      expect(await count(1, 5)).toBe(false);
      expect(await state.get(row, 'k')).toBe(4);
      expect((await readAll<{ n: number }>(journal, 'out')).map(({ data }) => data.n)).toEqual([1, 4]);
      const wrong = journal.appendIf('out', [], [], [row.put('k', (() => 1) as unknown as number)]);
      await expect(wrong).rejects.toThrow();
    });
  });
}
