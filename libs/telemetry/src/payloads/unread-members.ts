import type { UtcMillis } from '#libs/kernel';

/** Members of a device's messages that held numbers and were not read, beside values that were. */
export interface UnreadMembers {
  readonly members: readonly UnreadMember[];
  /** Messages that held still others, beyond the bound of a device. */
  readonly more: number;
}

export interface UnreadMember {
  readonly name: string;
  /** Messages that held it. */
  readonly count: number;
  readonly firstAt: UtcMillis;
  readonly lastAt: UtcMillis;
}

/** A device chooses its own names: they may not fill the state. */
const MOST_MEMBERS = 200;

/** Counts the members that one message held and that were not read. */
export function withUnread(
  { members, more }: UnreadMembers = { members: [], more: 0 },
  names: readonly string[],
  at: UtcMillis,
): UnreadMembers {
  const known = new Map(members.map((member) => [member.name, member]));
  let isBeyond = false;
  for (const name of names) {
    const before = known.get(name);
    if (before === undefined && known.size >= MOST_MEMBERS) isBeyond = true;
    else
      known.set(name, {
        name,
        count: (before?.count ?? 0) + 1,
        firstAt: before?.firstAt ?? at,
        lastAt: Math.max(at, before?.lastAt ?? 0),
      });
  }
  return { members: [...known.values()], more: more + (isBeyond ? 1 : 0) };
}
