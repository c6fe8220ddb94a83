import { withUnread, type UnreadMembers } from './unread-members.js';

describe('members that are not read', () => {
  it('are counted by message, with their first and last time', () => {
    const first = withUnread(undefined, ['co2', 'pm1'], 100);
    expect(withUnread(first, ['co2'], 300)).toEqual({
      members: [
        { name: 'co2', count: 2, firstAt: 100, lastAt: 300 },
        { name: 'pm1', count: 1, firstAt: 100, lastAt: 100 },
      ],
      more: 0,
    });
  });

  it('are bounded: messages with others are counted together', () => {
    let unread: UnreadMembers | undefined;
    for (let i = 0; i < 210; i++) unread = withUnread(unread, [`m${i}`], i);
    expect(unread!.members).toHaveLength(200);
    expect(unread!.more).toBe(10);
    expect(withUnread(unread, ['m3'], 99).members[3]).toMatchObject({ count: 2, lastAt: 99 });
  });
});
