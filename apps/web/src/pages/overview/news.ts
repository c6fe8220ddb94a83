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
