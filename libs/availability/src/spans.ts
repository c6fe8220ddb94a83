import type { Millis, TimeSpan } from '#libs/kernel';

/** Half-open spans `[from, to)`, in order, neither empty nor touching. Every function here returns such a list. */
export type Spans = readonly TimeSpan[];

/** Puts any spans in order and joins those that overlap or touch. */
export function union(spans: readonly TimeSpan[]): Spans {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of spans.filter((span) => span.to > span.from).sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** What belongs to both. */
export function intersect(a: Spans, b: Spans): Spans {
  const common: TimeSpan[] = [];
  for (let i = 0, j = 0; ;) {
    const [x, y] = [a[i], b[j]];
    if (x === undefined || y === undefined) return common;
    const [from, to] = [Math.max(x.from, y.from), Math.min(x.to, y.to)];
    if (from < to) common.push({ from, to });
    if (x.to < y.to) i++;
    else j++;
  }
}

/** What belongs to `a` and not to `b`. */
export function subtract(a: Spans, b: Spans): Spans {
  return a.flatMap((span) => {
    const rest: TimeSpan[] = [];
    let { from } = span;
    for (const hole of b) {
      if (hole.to <= from || hole.from >= span.to) continue;
      if (hole.from > from) rest.push({ from, to: hole.from });
      from = hole.to;
    }
    if (from < span.to) rest.push({ from, to: span.to });
    return rest;
  });
}

/** Sum of the lengths. */
export function total(spans: Spans): Millis {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}
