/** An entry of the journal that another one names. */
export interface EntryRef {
  readonly stream: string;
  readonly shard: number;
  readonly offset: number;
}

export const pathOf = ({ stream, shard, offset }: EntryRef): string =>
  `/journal/${stream}/${shard}/${offset}`;

/** What an entry names by `{ shard, offset }`: the stream stands beside them, or is the member's name. */
export function refsOf(data: unknown): EntryRef[] {
  const found = new Map<string, EntryRef>();
  const look = (value: unknown, name: string): void => {
    if (Array.isArray(value)) for (const one of value as unknown[]) look(one, name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const { shard, offset, stream = name } = value as Readonly<Record<string, unknown>>;
    if (typeof shard === 'number' && typeof offset === 'number' && typeof stream === 'string') {
      const ref = { stream, shard, offset };
      found.set(pathOf(ref), ref);
    }
    for (const [member, inner] of Object.entries(value)) look(inner, member);
  };
  look(data, '');
  return [...found.values()].filter(({ stream }) => stream !== '');
}
