import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import type { Rejection } from '#libs/telemetry';
import { temporaryFolder } from '#libs/testing';
import { newestMatching, type ListedRejection } from './newest-matching.js';
import { rejectedQuery } from './rejected-request.js';

describe('the newest rejections', () => {
  it('come in pages that hold each of them once, also while more are refused', async () => {
    using folder = temporaryFolder('rejected');
    const state = LmdbStateStore.open(folder.path);
    const journal = await LmdbJournal.open({ state, clock: { now: () => 1_000 }, shards: 3 });
    try {
      let at = 0;
      const refuse = async (count: number): Promise<void> => {
        const entries = Array.from({ length: count }, (_, i) => {
          const device = `d${i % 5}`;
          const data: Rejection = { reason: 'not_json', detail: 'x', receivedAt: ++at, device, count: 1 };
          return { key: device, data };
        });
        await journal.append('rejected', entries);
      };
      await refuse(40);
      const pages = async (text: Record<string, string>): Promise<ListedRejection[]> => {
        const found: ListedRejection[] = [];
        let next: string | undefined;
        do {
          const query = rejectedQuery.parse({ ...text, ...(next === undefined ? {} : { after: next }) });
          const page = await newestMatching(journal, query, () => undefined);
          expect(page.items.length).toBeLessThanOrEqual(query.limit);
          found.push(...page.items);
          next = page.next;
          await refuse(1);
        } while (next !== undefined);
        return found;
      };
      for (const limit of ['1', '3', '7', '40']) {
        const before = at;
        const found = (await pages({ limit })).filter(({ receivedAt }) => receivedAt <= before);
        expect(found.map(({ receivedAt }) => receivedAt).sort((a, b) => a - b)).toEqual(
          Array.from({ length: before }, (_, i) => i + 1),
        );
      }
      const ofOne = await pages({ limit: '2', device: 'd3' });
      expect(ofOne.map(({ device }) => device)).toEqual(Array<string>(8).fill('d3'));
      expect(await pages({ limit: '2', reason: 'malformed' })).toEqual([]);
    } finally {
      await journal.close();
      await state.close();
    }
  });
});
