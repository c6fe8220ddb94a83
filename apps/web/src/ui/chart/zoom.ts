import type { Gap } from './series';

/** Which part of time a chart may show. */
export interface ZoomLimits {
  readonly shortest: number;
  readonly longest: number;
  /** There is nothing after it. */
  readonly latest: number;
}

/** The part of time that is so much longer, around a place that stays where it is. @param at - share of the width, 0 to 1 */
export function zoomed({ from, to }: Gap, factor: number, at: number, limits: ZoomLimits): Gap {
  const length = Math.min(Math.max((to - from) * factor, limits.shortest), limits.longest);
  const begin = from + (to - from - length) * at;
  return within({ from: begin, to: begin + length }, limits);
}

/** The part of time that lies so much of its own length later. */
export function moved({ from, to }: Gap, share: number, limits: ZoomLimits): Gap {
  const by = (to - from) * share;
  return within({ from: from + by, to: to + by }, limits);
}

function within({ from, to }: Gap, { latest }: ZoomLimits): Gap {
  const beyond = Math.max(0, to - latest);
  return { from: Math.round(from - beyond), to: Math.round(to - beyond) };
}

/** What a key does to a chart that has the focus. */
export function keyed(key: string, shown: Gap, limits: ZoomLimits): Gap | undefined {
  switch (key) {
    case '+':
    case '=':
      return zoomed(shown, 0.5, 0.5, limits);
    case '-':
      return zoomed(shown, 2, 0.5, limits);
    case 'ArrowLeft':
      return moved(shown, -0.25, limits);
    case 'ArrowRight':
      return moved(shown, 0.25, limits);
    default:
      return undefined;
  }
}
