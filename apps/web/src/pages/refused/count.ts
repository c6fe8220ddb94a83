/** How often something was refused for a reason, of all devices. */
export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
  /** Absent where nobody noted it. */
  readonly firstAt?: string | undefined;
  readonly lastAt: string;
}

/** The counts of devices by reason, the most frequent first. @param device - of this one alone */
export function byReason<C extends ReasonCount & { readonly device?: string | undefined }>(
  counts: readonly C[],
  device: string | undefined,
): readonly (ReasonCount & { readonly reason: C['reason'] })[] {
  const sums = new Map<C['reason'], ReasonCount & { reason: C['reason'] }>();
  for (const one of counts) {
    if (device !== undefined && one.device !== device) continue;
    const { count, firstAt, lastAt } = sums.get(one.reason) ?? { ...one, count: 0 };
    sums.set(one.reason, {
      reason: one.reason,
      count: count + one.count,
      // Of whom the first is not known may have been before all others.
      firstAt: firstAt === undefined || one.firstAt === undefined ? undefined : earlier(firstAt, one.firstAt),
      lastAt: lastAt > one.lastAt ? lastAt : one.lastAt,
    });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

/** The counts by device, whoever is refused most first, each with its reasons; `undefined` is whoever is not known. */
export function byDevice<C extends ReasonCount & { readonly device?: string | undefined }>(
  counts: readonly C[],
): readonly {
  readonly device: string | undefined;
  readonly count: number;
  readonly reasons: ReturnType<typeof byReason<C>>;
}[] {
  const devices = new Map<string | undefined, C[]>();
  for (const one of counts) devices.set(one.device, [...(devices.get(one.device) ?? []), one]);
  return Array.from(devices, ([device, own]) => ({
    device,
    count: own.reduce((sum, { count }) => sum + count, 0),
    reasons: byReason(own, undefined),
  })).sort((a, b) => b.count - a.count);
}
