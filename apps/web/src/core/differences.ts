/** A member that is no longer what it was. */
export interface Difference {
  readonly member: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** What was changed between two states of one thing. */
export function differencesOf(before: object, now: object): readonly Difference[] {
  const [old, fresh] = [before, now] as Readonly<Record<string, unknown>>[];
  const members = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...members].flatMap((member) => {
    const [was, is] = [old?.[member], fresh?.[member]];
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [{ member, before: was, now: is }];
  });
}
