import { jest } from '@jest/globals';
import { z } from 'zod';
import { after, cursorText, LOOKED_AT, matchingPage, pageOf } from './page.js';

describe('a page', () => {
  it('says where the next one begins, and that only while there is one', () => {
    const place = (n: number): readonly [number] => [n];
    expect(pageOf([1, 2, 3], 2, place)).toEqual({ items: [1, 2], truncated: true, next: cursorText([2]) });
    expect(pageOf([1, 2], 2, place)).toEqual({ items: [1, 2] });
  });

  it('goes on at what an answer gave, and at nothing else', () => {
    const schema = after(z.tuple([z.number(), z.string()]));
    expect(schema.parse(cursorText([7, 'a']))).toEqual([7, 'a']);
    for (const text of ['', 'x', cursorText(['a', 7]), cursorText([7, 'a', 1]), 'W'.repeat(900)])
      expect(schema.safeParse(text).error?.issues[0]?.message).toContain('expected `next`');
  });

  it('ends before it is full where few of many fit, and the pages together hold all that fit, once', async () => {
    const keys = Array.from({ length: 3 * LOOKED_AT }, (_, i) => ({ key: String(i).padStart(6, '0') }));
    const fits = ({ key }: { key: string }): boolean => key.endsWith('0004') || key > '014990';
    let reads = 0;
    const read = async (from: string | undefined, limit: number) => {
      reads++;
      const start = from === undefined ? 0 : Number(from) + 1;
      return Promise.resolve(keys.slice(start, start + limit));
    };
    const found: string[] = [];
    let next: string | undefined;
    let pages = 0;
    do {
      reads = 0;
      const cursor = next === undefined ? undefined : after(z.tuple([z.string()])).parse(next)?.[0];
      const page = await matchingPage(read, (batch) => batch.filter(fits), { after: cursor, limit: 4 });
      // Ten of full size, and those that grow towards it.
      expect(reads).toBeLessThanOrEqual(LOOKED_AT / 500 + 7);
      found.push(...page.items.map(({ key }) => key));
      next = page.next;
      pages++;
    } while (next !== undefined);
    expect(found).toEqual(keys.filter(fits).map(({ key }) => key));
    expect(pages).toBeGreaterThan(4);
  });

  it('reads no more than it shows where all fit', async () => {
    const read = jest.fn(async (from: string | undefined, limit: number) =>
      Array.from({ length: limit }, (_, i) => ({ key: String(Number(from ?? 0) + i + 1) })),
    );
    const page = await matchingPage(read, (batch) => batch, { after: undefined, limit: 3 });
    expect(page).toMatchObject({ items: [{ key: '1' }, { key: '2' }, { key: '3' }], truncated: true });
    expect(read.mock.calls).toEqual([[undefined, 4]]);
  });
});
