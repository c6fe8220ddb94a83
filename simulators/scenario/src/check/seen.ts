import { DAY, localDateOf, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { setTimeout as delay } from 'node:timers/promises';
import type { PantauApi } from '../api.js';

/** A stored reading as the API gives it. */
export interface SeenReading {
  readonly ts: UtcMillis;
  readonly parameter: string;
  readonly value: number;
  readonly flag: number;
}

/** An alert that fired. */
export interface SeenAlert {
  readonly rule: string;
  readonly device: string;
  readonly since: UtcMillis;
  readonly firedAt: UtcMillis;
  /** Undefined while it fires. */
  readonly endedAt: UtcMillis | undefined;
}

/** The availability of a camera on a day, as the API gives it. */
export interface SeenDay {
  readonly window: TimeSpan;
  readonly upMs: Millis;
  /** When it was not up, or nobody observed it. */
  readonly outages: readonly (TimeSpan & { readonly cause: string })[];
  /** Time that nobody observed. */
  readonly unknown: readonly TimeSpan[];
}

const PAGE = 10_000;
const POLL_MS = 250;

/** Every stored reading of a device in a span of device time. */
export async function seenReadings(api: PantauApi, device: string, span: TimeSpan): Promise<SeenReading[]> {
  const readings: SeenReading[] = [];
  const known = new Set<string>();
  for (let from = span.from; ;) {
    const { items } = await api.get<{ items: (Omit<SeenReading, 'ts'> & { ts: string })[] }>('readings', {
      device,
      from: new Date(from).toISOString(),
      to: new Date(span.to).toISOString(),
      order: 'asc',
      limit: PAGE,
    });
    for (const item of items) {
      const key = `${item.ts}/${item.parameter}`;
      if (!known.has(key)) readings.push({ ...item, ts: Date.parse(item.ts) });
      known.add(key);
    }
    if (items.length < PAGE) return readings;
    // The last instant may be cut off in the middle: it is asked for again.
    from = Date.parse(items.at(-1)?.ts ?? '');
  }
}

/** The newest refusals of a device for one reason: the instant that the message states, and what is wrong. */
export async function seenRefusals(
  api: PantauApi,
  device: string,
  reason: string,
): Promise<{ readonly ts: string | undefined; readonly detail: string }[]> {
  const { items } = await api.get<{ items: { detail: string; payloadText?: string }[] }>('rejected', {
    device,
    reason,
    limit: 1_000,
  });
  return items.map(({ detail, payloadText }) => ({
    detail,
    ts: /"ts":"([^"]+)"/.exec(payloadText ?? '')?.[1],
  }));
}

export async function seenAlerts(api: PantauApi, device: string): Promise<SeenAlert[]> {
  const { items } = await api.get<{
    items: { rule: string; device: string; history: { kind: string; at: string }[] }[];
  }>('alerts', { device, limit: 1_000 });
  return items.flatMap(({ rule, history }) => {
    const at = (kinds: readonly string[]): UtcMillis | undefined => {
      const found = history.find(({ kind }) => kinds.includes(kind));
      return found === undefined ? undefined : Date.parse(found.at);
    };
    const firedAt = at(['firing']);
    if (firedAt === undefined) return [];
    const since = at(['pending']) ?? firedAt;
    return [{ rule, device, since, firedAt, endedAt: at(['resolved', 'cancelled']) }];
  });
}

interface DayRecord {
  readonly value: number | null;
  readonly period: { readonly date: string; readonly from: string; readonly to: string };
  readonly dataCapture: Readonly<Record<string, number>>;
  readonly detail: { readonly outages?: readonly { from: string; to: string; cause: string }[] };
}

/** The indicator of a device by day. */
export async function seenDays(
  api: PantauApi,
  indicator: string,
  device: string,
  span: TimeSpan,
): Promise<DayRecord[]> {
  const records: DayRecord[] = [];
  for (let day = span.from; day < span.to + DAY; day += DAY) {
    const date = localDateOf(Math.min(day, span.to - 1));
    if (records.some(({ period }) => period.date === date)) continue;
    const { items } = await api.get<{ items: DayRecord[] }>('indicators', {
      indicator,
      device,
      from: date,
      to: date,
      limit: 1,
    });
    records.push(...items);
  }
  return records;
}

/** The index of a station that Pantau tells now. */
export interface SeenIndex {
  /** The end of the 24 hours that it speaks of. */
  readonly at: UtcMillis;
  readonly index: number | undefined;
}

export async function seenIndex(api: PantauApi, device: string): Promise<SeenIndex> {
  const { at, ispu } = await api.get<{ at: string; ispu?: { index: number } }>(`stations/${device}`);
  return { at: Date.parse(at), index: ispu?.index };
}

export function availabilityOf({ period, dataCapture, detail }: DayRecord): SeenDay {
  const outages = (detail.outages ?? []).map(({ from, to, cause }) => ({
    ...{ from: Date.parse(from), to: Date.parse(to), cause },
  }));
  return {
    window: { from: Date.parse(period.from), to: Date.parse(period.to) },
    upMs: dataCapture['upMs'] ?? 0,
    outages,
    unknown: outages.filter(({ cause }) => cause === 'unobserved'),
  };
}

/** Waits until every stage has read what there is. */
export async function caughtUp(api: PantauApi, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true) {
    const { lag } = await api.get<{ lag: Readonly<Record<string, unknown>> }>('health');
    if (totalOf(lag) === 0) return;
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** The sum of all numbers, however deep they stand: by stage, or by stage and stream. */
function totalOf(lag: unknown): number {
  if (typeof lag === 'number') return lag;
  if (typeof lag !== 'object' || lag === null) return 0;
  return Object.values(lag).reduce<number>((sum, part) => sum + totalOf(part), 0);
}
