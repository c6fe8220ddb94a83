import { renewed, type Shown } from './renew';

interface Item {
  readonly id: string;
  readonly state?: string;
}
const shownOf = (...ids: string[]): Shown<Item>[] => ids.map((id) => ({ item: { id }, isGone: false }));
const by = ({ id }: Item): string => id;
const textOf = (shown: readonly Shown<Item>[]): string =>
  shown.map(({ item: { id, state = '' }, isGone }) => `${id}${state}${isGone ? '-' : ''}`).join(' ');

describe('a list that is read again', () => {
  it.each([
    ['new items wait', 'c b a', [{ id: 'd' }, { id: 'c' }], 'n', 'c b a', 'd'],
    [
      'known items change where they stand',
      'b a',
      [{ id: 'a', state: '!' }, { id: 'b' }],
      undefined,
      'b a!',
      '',
    ],
    ['what is missing among the newest is gone', 'c b a', [{ id: 'c' }, { id: 'a' }], 'n', 'c b- a', ''],
    ['older than the newest page says nothing', 'c b a', [{ id: 'c' }], 'n', 'c b a', ''],
    ['a whole list says all', 'c b a', [{ id: 'c' }], undefined, 'c b- a-', ''],
    ['nothing is left', 'b a', [], undefined, 'b- a-', ''],
  ])('%s', (_what, before, items, next, after, waiting) => {
    const found = renewed(shownOf(...before.split(' ')), { items, next }, by);
    expect([textOf(found.shown), found.waiting.map(by).join(' '), found.isApart]).toEqual([
      after,
      waiting,
      false,
    ]);
  });

  it('says when the newest page does not reach what is shown', () => {
    const found = renewed(shownOf('b', 'a'), { items: [{ id: 'z' }, { id: 'y' }], next: 'n' }, by);
    expect([textOf(found.shown), found.isApart]).toEqual(['b a', true]);
  });

  it('lets come back what was gone', () => {
    const gone = renewed(shownOf('b', 'a'), { items: [{ id: 'a' }] }, by).shown;
    expect(textOf(renewed(gone, { items: [{ id: 'b' }, { id: 'a' }] }, by).shown)).toBe('b a');
  });
});
