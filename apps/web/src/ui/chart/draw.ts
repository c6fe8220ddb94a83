import type uPlot from 'uplot';
import { columnsOf } from './band';
import type { Gap, Mark, Series } from './series';

/** A gap with what it says. */
export interface NamedGap extends Gap {
  readonly reason: string;
}

/** More of them would cover each other. */
const MOST_MARKS = 2_000;
const MOST_FIGURES = 200;

/** A colour that lets through what is behind it. @param share - of the colour, percent */
export function faded(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${share}%, transparent)`;
}

/** Grey where there is no value, with the reason where it has the room. */
export function drawGaps(chart: uPlot, gaps: readonly NamedGap[], edge: string, text: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.textAlign = 'center';
  const within = (ts: number): number =>
    Math.min(Math.max(chart.valToPos(ts / 1_000, 'x', true), bbox.left), bbox.left + bbox.width);
  for (const { from, to, reason } of gaps) {
    const [left, right] = [within(from), within(to)];
    if (right - left < 1) continue;
    ctx.fillStyle = faded(edge, 13);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    if (right - left < 40 || ctx.measureText(reason).width > right - left - 8) continue;
    ctx.fillStyle = text;
    ctx.fillText(reason, (left + right) / 2, bbox.top + 18 * devicePixelRatio);
  }
  ctx.restore();
}

/** From the lowest to the highest value of readings that are drawn together. */
export function drawBand(chart: uPlot, { points }: Pick<Series, 'points'>, colour: string): void {
  const { ctx, bbox } = chart;
  const [first, last] = chart.series[0]?.idxs ?? [0, points.length - 1];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour;
  const columns = columnsOf(
    points.slice(first, last + 1),
    (ts) => chart.valToPos(ts / 1_000, 'x', true),
    (value) => chart.valToPos(value, 'y', true),
  );
  for (const { left, top, width, height } of columns) ctx.fillRect(left, top, width, height);
  ctx.restore();
}

/** What quality control doubts: a triangle for suspect, a cross for failed; an arrow with its value where it is beyond the scale. */
export function drawMarks(
  chart: uPlot,
  marks: readonly Mark[],
  { top, bottom }: { readonly top: number; readonly bottom: number },
  colours: { readonly warn: string; readonly bad: string },
  figure: (value: number) => string,
): void {
  const { ctx, bbox } = chart;
  ctx.save();
  const size = 5 * devicePixelRatio;
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  ctx.textAlign = 'left';
  const right = bbox.left + bbox.width;
  const shown = marks.filter(({ ts }) => {
    const x = chart.valToPos(ts / 1_000, 'x', true);
    return x >= bbox.left && x <= right;
  });
  for (const { ts, value, flag } of shown.slice(0, MOST_MARKS)) {
    const x = chart.valToPos(ts / 1_000, 'x', true);
    const isBeyond = value > top;
    const y = isBeyond ? bbox.top + size : chart.valToPos(Math.max(value, bottom), 'y', true);
    ctx.strokeStyle = ctx.fillStyle = flag === 4 ? colours.bad : colours.warn;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    if (isBeyond || flag !== 4) {
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.lineTo(x - size, y + size);
      ctx.fill();
      if (isBeyond && shown.length < MOST_FIGURES) ctx.fillText(figure(value), x + 2 * size, y + size);
    } else {
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
    }
  }
  ctx.restore();
}
