import { escapeMarkup } from '#libs/kernel';
/** Pictures as SVG text. The same input gives the same bytes. */

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
  /** A line by default. */
  readonly as?: 'line' | 'dashed' | 'dots';
  /** A line is broken where its points are farther apart than this, and where they step back. */
  readonly gap?: number;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Plot {
  readonly title: string;
  /** Name and unit. */
  readonly y: string;
  readonly x: { readonly from: number; readonly to: number; readonly ticks: readonly Tick[] };
  /** Levels across the whole picture. */
  readonly levels?: readonly { readonly name: string; readonly at: number }[];
  readonly series: readonly Series[];
}

/** One row of spans in time. */
export interface Strip {
  readonly name: string;
  readonly spans: readonly { readonly from: number; readonly to: number; readonly colour: string }[];
}

export interface Strips {
  readonly title: string;
  readonly x: Plot['x'];
  readonly strips: readonly Strip[];
  readonly legend: readonly { readonly name: string; readonly colour: string }[];
}

/** Told apart by the colour-blind too (Okabe and Ito). */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#e69f00',
  green: '#009e73',
  red: '#d55e00',
  grey: '#999999',
} as const;

const WIDTH = 760;
const PLOT_HEIGHT = 240;
const STRIP_HEIGHT = 14;
const MARGIN = { left: 60, right: 16, top: 40, bottom: 28 } as const;
const INK = '#333333';

/** Plots, one below the other. */
export function plotsSvg(plots: readonly Plot[]): string {
  const parts = plots.map((plot, i) => moved(i * PLOT_HEIGHT, plotOf(plot)));
  return svg(plots.length * PLOT_HEIGHT, plots.map(({ title }) => title).join('; '), parts);
}

/** Spans in time, a row each. */
export function stripsSvg({ title, x, strips, legend }: Strips): string {
  const height = MARGIN.top + strips.length * STRIP_HEIGHT + MARGIN.bottom;
  const scale = scaleOf(x.from, x.to, MARGIN.left + 140, WIDTH - MARGIN.right);
  const rows = strips.flatMap(({ name, spans }, row) => {
    const y = MARGIN.top + row * STRIP_HEIGHT;
    return [
      label(scale(x.from) - 6, y + 10, name, 'end'),
      ...spans.map(({ from, to, colour }) => {
        const width = Math.max(0.5, scale(to) - scale(from));
        return `<rect x="${n(scale(from))}" y="${y + 1}" width="${n(width)}" height="${STRIP_HEIGHT - 3}" fill="${colour}"/>`;
      }),
    ];
  });
  return svg(height, title, [
    label(8, 16, title, 'start', true),
    legendOf(legend),
    ...rows,
    ...ticksOf(x, scale, MARGIN.top, height - MARGIN.bottom),
  ]);
}

function plotOf({ title, y, x, levels = [], series }: Plot): string[] {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  const across = scaleOf(x.from, x.to, MARGIN.left, WIDTH - MARGIN.right);
  const all = series.flatMap(({ points }) => points.map(([, value]) => value));
  const most = Math.max(1e-9, ...all);
  const step = niceStep(most / 4);
  const top = Math.ceil(most / step) * step;
  const least = Math.min(0, Math.floor(Math.min(0, ...all) / step) * step);
  const up = scaleOf(least, top, bottom, MARGIN.top);
  const lines: string[] = [];
  for (let value = least; value <= top + step / 2; value += step)
    lines.push(
      `<path d="M${MARGIN.left} ${n(up(value))}H${WIDTH - MARGIN.right}" stroke="#dddddd"/>`,
      label(MARGIN.left - 6, up(value) + 4, String(Number(value.toPrecision(6))), 'end'),
    );
  for (const { at, name } of levels.filter((level) => level.at <= top))
    lines.push(
      `<path d="M${MARGIN.left} ${n(up(at))}H${WIDTH - MARGIN.right}" stroke="${COLOURS.red}" stroke-dasharray="2 3"/>`,
      label(WIDTH - MARGIN.right, up(at) - 3, name, 'end'),
    );
  return [
    label(8, 16, `${title} (${y})`, 'start', true),
    legendOf(series),
    ...lines,
    ...ticksOf(x, across, MARGIN.top, bottom),
    ...series.map((one) => drawn(one, across, up)),
  ];
}

function drawn({ points, colour, as = 'line', gap = Infinity }: Series, across: Scale, up: Scale): string {
  if (as === 'dots')
    return points
      .map(([x, y]) => `<circle cx="${n(across(x))}" cy="${n(up(y))}" r="2" fill="${colour}"/>`)
      .join('');
  const path = points.map(([x, y], i) => {
    const before = points[i - 1];
    const isNew = before === undefined || x < before[0] || x - before[0] > gap;
    return `${isNew ? 'M' : 'L'}${n(across(x))} ${n(up(y))}`;
  });
  const dashes = as === 'dashed' ? ' stroke-dasharray="5 3"' : '';
  return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.3"${dashes}/>`;
}

function legendOf(entries: readonly { readonly name: string; readonly colour: string }[]): string {
  let x = MARGIN.left;
  return entries
    .map(({ name, colour }) => {
      const at = x;
      x += 26 + 6.2 * name.length;
      return `<rect x="${n(at)}" y="24" width="10" height="8" fill="${colour}"/>${label(at + 14, 32, name)}`;
    })
    .join('');
}

function ticksOf({ ticks }: Plot['x'], scale: Scale, top: number, bottom: number): string[] {
  return ticks.map(
    ({ at, label: name }) =>
      `<path d="M${n(scale(at))} ${top}V${bottom}" stroke="#eeeeee"/>${label(Math.min(scale(at), WIDTH - MARGIN.right - 2.5 * name.length), bottom + 16, name, 'middle')}`,
  );
}

type Scale = (value: number) => number;

function scaleOf(from: number, to: number, start: number, end: number): Scale {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** 1, 2 or 5 times a power of ten, and not below the step that is asked for. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((step) => step * power >= least) ?? 10) * power;
}

function label(x: number, y: number, text: string, anchor = 'start', isTitle = false): string {
  const weight = isTitle ? ' font-weight="bold"' : '';
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}"${weight}>${escapeMarkup(text)}</text>`;
}

function moved(y: number, parts: readonly string[]): string {
  return `<g transform="translate(0 ${y})">${parts.join('\n')}</g>`;
}

function svg(height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="11" fill="${INK}">
<title>${escapeMarkup(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`;
}

function n(value: number): string {
  return String(Math.round(10 * value) / 10);
}
