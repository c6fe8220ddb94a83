import type { AnyStreams } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import { namespaceOf } from '#libs/testing';
import type { BatchContext, Pieces } from './batch-context.js';
import { beginWith, numbers, open, seen } from './journal-transport.fixture.js';

describe('a batch in pieces', () => {
  const all = Array.from({ length: 1_500 }, (_, i) => i);
  /** As {@link sum}, with the sum kept until the last piece. */
  const sumOfPieces = async (context: BatchContext<AnyStreams>): Promise<Pieces<number>> => {
    let total = (await context.state.get<number>(namespaceOf('counter'), 'sum')) ?? 0;
    return {
      add(piece) {
        total += piece.reduce((sum, { data }) => sum + data, 0);
        context.append(
          'seen',
          piece.map(({ key, data }) => ({ key, data })),
        );
      },
      end: () => context.state.put(namespaceOf('counter'), 'sum', total),
    };
  };

  it('hands over one batch in several calls and commits once', async () => {
    await using fixture = await open();
    const contexts = new Map<BatchContext<AnyStreams>, number[]>();
    const cursors = new Set<number>();
    const firsts: number[] = [];
    beginWith(async (context) => {
      expect(contexts.has(context)).toBe(false);
      contexts.set(context, []);
      firsts.push(context.origin.first);
      const pieces = await sumOfPieces(context);
      return {
        ...pieces,
        async add(piece) {
          contexts.get(context)!.push(piece.length);
          cursors.add(await fixture.journal.position('counter', 'pieces', 0));
          await pieces.add(piece);
        },
      };
    });
    await fixture.journal.append('pieces', numbers(0, all.length));
    await fixture.start({ maxBatch: 1_000 });
    await fixture.caughtUp('pieces');
    expect([...contexts.values()]).toEqual([[512, 488], [500]]);
    expect(firsts).toEqual([0, 1_000]);
    expect([...cursors]).toEqual([0, 1_000]);
    expect(await seen(fixture.journal)).toEqual(all);
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe((all.length * (all.length - 1)) / 2);
  });

  it('commits before the last piece when much is to be appended', async () => {
    await using fixture = await open();
    const cursors = new Set<number>();
    beginWith(async (context) => ({
      async add(piece) {
        cursors.add(await fixture.journal.position('counter', 'pieces', 0));
        context.append(
          'seen',
          piece.map(({ key }) => ({ key, data: new Uint8Array(40_000) })),
        );
      },
      end: () => undefined,
    }));
    await fixture.journal.append('pieces', numbers(0, all.length));
    // Such a batch is full, so no rest follows.
    await fixture.start({ maxBatch: 1_500, gatherMs: 3_600_000 });
    await fixture.caughtUp('pieces');
    expect([...cursors]).toEqual([0, 512, 1_024]);
    expect(await fixture.journal.extent('seen', 0)).toEqual({ first: 0, next: all.length });
  });

  it('begins the batch again when a piece fails, and leaves nothing of those before it', async () => {
    await using fixture = await open();
    let failures = 0;
    beginWith(async (context) => {
      const pieces = await sumOfPieces(context);
      return {
        ...pieces,
        async add(piece) {
          await pieces.add(piece);
          if (piece.some(({ data }) => data === 700) && ++failures <= 2)
            throw new PantauError('STORE_UNAVAILABLE', 'away.', { transient: true });
        },
      };
    });
    await fixture.journal.append('pieces', numbers(0, all.length));
    await fixture.start({ maxBatch: 1_000 });
    await fixture.caughtUp('pieces');
    expect(failures).toBe(3);
    expect(await seen(fixture.journal)).toEqual(all);
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe((all.length * (all.length - 1)) / 2);
  });

  it.each(['in a piece', 'at the end'])('sets aside the one entry that fails %s', async (where) => {
    await using fixture = await open();
    beginWith(async (context) => {
      const pieces = await sumOfPieces(context);
      let isThere = false;
      const fail = (at: string): void => {
        if (isThere && at === where) throw new RangeError('no such number');
      };
      return {
        async add(piece) {
          isThere ||= piece.some(({ data }) => data === 700);
          await pieces.add(piece);
          fail('in a piece');
        },
        async end() {
          fail('at the end');
          await pieces.end();
        },
      };
    });
    await fixture.journal.append('pieces', numbers(0, all.length));
    await fixture.start({ maxBatch: 1_000 });
    await fixture.caughtUp('pieces');
    const others = all.filter((n) => n !== 700);
    expect(await seen(fixture.journal)).toEqual(others);
    const rejected = await fixture.journal.read('rejected', 0, 0, 10);
    expect(rejected.map(({ data }) => data.source)).toEqual([{ stream: 'pieces', shard: 0, offset: 700 }]);
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(others.reduce((a, b) => a + b, 0));
  });
});
