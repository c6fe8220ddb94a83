import { DAY, localDateOf, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { PARAMETERS, type Parameter } from '#libs/telemetry';
import { COLOURS, plotsSvg, stripsSvg, type Plot, type Point, type Tick } from '#simulators/chart';
import type { CameraSpan } from '#simulators/devices';
import type { SeenDay } from './seen.js';

/** A value of a station: what was true, and what is stored with which flag. */
export interface Seen {
  readonly at: UtcMillis;
  readonly truth: number;
  /** Undefined when nothing is stored. */
  readonly value: number | undefined;
  readonly isFlagged: boolean;
}

/** Pictures are for people: of a large fleet the first ones are drawn. */
const MOST_STATIONS = 6;
const MOST_CAMERAS = 24;
/** Points that a picture can show; of more every so-many-th is drawn, and every flagged one. */
const MOST_POINTS = 2_000;
const MOST_TICKS = 10;
/** A line is broken where this many intervals are missing. */
const GAP_INTERVALS = 3;
const STATES = { up: COLOURS.green, down: COLOURS.red, frozen: COLOURS.orange } as const;

/** Collects what a check compares, and draws it. */
export class Gallery {
  readonly #stations = new Map<string, { readonly parameter: Parameter; readonly seen: readonly Seen[] }>();
  readonly #cameras = new Map<
    string,
    { readonly truth: readonly CameraSpan[]; readonly days: readonly SeenDay[] }
  >();

  addStation(device: string, parameter: Parameter, seen: readonly Seen[]): void {
    this.#stations.set(device, { parameter, seen });
  }

  addCamera(device: string, truth: readonly CameraSpan[], days: readonly SeenDay[]): void {
    this.#cameras.set(device, { truth, days });
  }

  /**
   * SVG by name.
   *
   * @param levels - of the rules that the scenario speaks of
   */
  pictures(
    span: TimeSpan,
    levels: readonly { readonly parameter: string; readonly rule: string; readonly raise: number }[],
  ): ReadonlyMap<string, string> {
    const pictures = new Map<string, string>();
    const x = { ...span, ticks: ticksOf(span) };
    const stations = byName(this.#stations).slice(0, MOST_STATIONS);
    if (stations.length > 0)
      pictures.set(
        'stations',
        plotsSvg(
          stations.map(([device, { parameter, seen }]) => ({
            ...stationPlot(device, parameter, seen, x),
            levels: levels
              .filter((level) => level.parameter === parameter)
              .map(({ rule, raise }) => ({ name: rule, at: raise })),
          })),
        ),
      );
    const cameras = byName(this.#cameras).slice(0, MOST_CAMERAS);
    if (cameras.length > 0)
      pictures.set(
        'cameras',
        stripsSvg({
          title: 'Kamera: benar dan terlihat / cameras: true and seen',
          x,
          legend: [
            { name: 'naik / up', colour: STATES.up },
            { name: 'mati / down', colour: STATES.down },
            { name: 'beku / frozen', colour: STATES.frozen },
            { name: 'tak diketahui / unknown', colour: COLOURS.grey },
          ],
          strips: cameras.flatMap(([device, { truth, days }]) => [
            {
              name: `${device} benar / true`,
              spans: truth.map(({ from, to, state }) => ({ from, to, colour: STATES[state] })),
            },
            { name: 'terlihat / seen', spans: days.flatMap((day) => seenSpans(day, span)) },
          ]),
        }),
      );
    return pictures;
  }
}

function stationPlot(device: string, parameter: Parameter, seen: readonly Seen[], x: Plot['x']): Plot {
  const stride = Math.ceil(seen.length / MOST_POINTS);
  const drawn = seen.filter((_one, i) => i % stride === 0);
  const [first, last] = [seen[0]?.at ?? 0, seen.at(-1)?.at ?? 0];
  const gap = (GAP_INTERVALS * stride * (last - first)) / Math.max(1, seen.length - 1);
  const stored = (list: readonly Seen[]): Point[] =>
    list.flatMap(({ at, value }) => (value === undefined ? [] : [[at, value] as const]));
  return {
    title: `${device}: ${parameter}`,
    y: PARAMETERS[parameter].unit.replace('ug/m3', 'µg/m³').replace('degC', '°C'),
    x,
    series: [
      { name: 'terlihat / seen', colour: COLOURS.blue, points: stored(drawn), gap },
      {
        name: 'benar / true',
        colour: COLOURS.orange,
        as: 'dashed',
        points: drawn.map(({ at, truth }) => [at, truth]),
      },
      {
        name: 'ditandai / flagged',
        colour: COLOURS.red,
        as: 'dots',
        points: stored(seen.filter(({ isFlagged }) => isFlagged)),
      },
    ],
  };
}

/** Up where nothing else is known. */
function seenSpans(
  { window, outages }: SeenDay,
  span: TimeSpan,
): { from: number; to: number; colour: string }[] {
  const clipped = (
    from: number,
    to: number,
    colour: string,
  ): { from: number; to: number; colour: string } => ({
    ...{ from: Math.max(from, span.from), to: Math.min(to, span.to), colour },
  });
  return [
    clipped(window.from, window.to, STATES.up),
    ...outages.map(({ from, to, cause }) =>
      clipped(from, to, cause === 'unobserved' ? COLOURS.grey : STATES.down),
    ),
  ].filter(({ from, to }) => to > from);
}

function ticksOf({ from, to }: TimeSpan): Tick[] {
  const length = to - from;
  const step = length > 2 * DAY ? Math.ceil(length / DAY / MOST_TICKS) * DAY : length / 6;
  const ticks: Tick[] = [];
  for (let at = from; at <= to; at += step) {
    const date = localDateOf(at).slice(5);
    const time = new Date(at).toLocaleTimeString('en-GB', {
      timeZone: 'Asia/Jakarta',
      hour: '2-digit',
      minute: '2-digit',
    });
    ticks.push({ at, label: step < DAY ? `${date} ${time}` : date });
  }
  return ticks;
}

function byName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
