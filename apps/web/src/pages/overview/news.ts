/** What came in, newest first. */
export interface NewsItem {
  /** It stays the same while others come. */
  readonly id: number;
  readonly at: string;
  readonly device: string;
  readonly kind: 'readings' | 'presence' | 'heartbeat' | 'status' | 'event';
  readonly readings: readonly { readonly parameter: string; readonly value: number; readonly flag: number }[];
  readonly state: string;
}

/** Stored readings as lines, newest arrival first: those of one message stand together. */
export function newsOfReadings(
  readings: readonly {
    readonly device: string;
    readonly ts: string;
    readonly receivedAt: string;
    readonly parameter: string;
    readonly value: number;
    readonly flag: number;
  }[],
): readonly NewsItem[] {
  const messages = new Map<string, NewsItem>();
  for (const { device, ts, receivedAt, parameter, value, flag } of readings) {
    const key = `${device} ${ts}`;
    const known = messages.get(key);
    const reading = { parameter, value, flag };
    messages.set(key, {
      ...(known ?? { id: -1 - messages.size, at: receivedAt, device, kind: 'readings', state: '' }),
      readings: [...(known?.readings ?? []), reading],
    });
  }
  return [...messages.values()].sort((a, b) => b.at.localeCompare(a.at));
}

/** An event of the live stream as one line; undefined for what is no news of a device. */
export function newsOf(id: number, data: unknown): NewsItem | undefined {
  const { device, receivedAt, type, readings, state, name } = data as Readonly<Record<string, unknown>>;
  if (typeof device !== 'string' || typeof receivedAt !== 'string') return undefined;
  return {
    ...{ id, device, at: receivedAt },
    kind: type === undefined ? 'readings' : (type as NewsItem['kind']),
    readings: Array.isArray(readings) ? (readings as NewsItem['readings']) : [],
    state: typeof state === 'string' ? state : typeof name === 'string' ? name : '',
  };
}
