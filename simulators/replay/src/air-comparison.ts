import { DAY, HOUR, type Millis, type UtcMillis } from '#libs/kernel';
import { Air, CLIMATES, type AirSample } from '#simulators/air';
import { COLOURS, plotsSvg, type Plot, type Point } from '#simulators/chart';
import { readRecording } from './recording.js';

/** Hours of a station, recorded or simulated. */
export type Hours = readonly {
  readonly ts: UtcMillis;
  readonly values: Partial<Record<keyof AirSample, number>>;
}[];

/** The recorded stations' zone. */
export const RECORDED_OFFSET: Millis = 8 * HOUR;
const WINDOW: Millis = 30 * DAY;
const SEEDS = [1, 2, 3, 4];
/** A town and a village, as the recorded ones are. */
const URBAN = [0.9, 0.3];
const LONGEST_LAG = 48;

/** Months of the recorded stations, and months of the model in their climate. */
export function airComparison(): { readonly recorded: readonly Hours[]; readonly model: readonly Hours[] } {
  const from = Date.parse('2015-11-01T00:00:00+08:00');
  const to = from + 3 * WINDOW;
  const model = SEEDS.flatMap((seed) => {
    const climate = CLIMATES['beijing-winter'];
    const air = new Air({ seed, from, to, climate, utcOffset: RECORDED_OFFSET, episodes: [], sources: [] });
    return URBAN.flatMap((urban) => {
      const site = { id: `s-${urban}`, urban, latitude: 39.9, longitude: 116.4 };
      const hours = Array.from({ length: (to - from) / HOUR }, (_, i) => from + i * HOUR);
      return windows(hours.map((ts) => ({ ts, values: air.at(site, ts) })));
    });
  });
  const stations = ['beijing-dongsi', 'beijing-huairou'];
  return { recorded: stations.flatMap((station) => windows(readRecording(station))), model };
}

function windows(hours: Hours): Hours[] {
  const first = hours[0]?.ts ?? 0;
  const count = Math.floor(((hours.at(-1)?.ts ?? 0) + HOUR - first) / WINDOW);
  return Array.from({ length: count }, (_, i) =>
    hours.filter(({ ts }) => ts >= first + i * WINDOW && ts < first + (i + 1) * WINDOW),
  );
}

/** Correlation of two series over the places where both have a value. */
export function correlation(a: readonly (number | undefined)[], b: readonly (number | undefined)[]): number {
  const pairs = a.flatMap((x, i) => (x === undefined || b[i] === undefined ? [] : [[x, b[i]] as const]));
  const [mx, my] = [mean(pairs.map(([x]) => x)), mean(pairs.map(([, y]) => y))];
  const sum = (f: (x: number, y: number) => number): number =>
    pairs.reduce((total, [x, y]) => total + f(x - mx, y - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_x, y) => y * y));
}

export function mean(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0) / list.length;
}

export function valuesOf(hours: Hours, parameter: keyof AirSample, log = false): (number | undefined)[] {
  return hours.map(({ values }) => {
    const value = values[parameter];
    return value === undefined || !log ? value : Math.log(value);
  });
}

/** The value below which that share of the hours lies. */
export function quantile(hours: Hours, parameter: keyof AirSample, share: number): number {
  const sorted = valuesOf(hours, parameter)
    .flatMap((x) => (x === undefined ? [] : [x]))
    .sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
}

/** Mean of the hours of the day from `from` to `to`, as a share of the mean of all. */
export function shareOfDay(hours: Hours, parameter: keyof AirSample, from: number, to: number): number {
  const all = hours.flatMap(({ ts, values }) => {
    const value = values[parameter];
    return value === undefined ? [] : [[Math.floor(((ts + RECORDED_OFFSET) % DAY) / HOUR), value] as const];
  });
  const inside = all.filter(([hour]) => hour >= from && hour < to).map(([, value]) => value);
  return mean(inside) / mean(all.map(([, value]) => value));
}

/** Recorded stations and model side by side: each month as a line. */
export function airPicture(): string {
  const { recorded, model } = airComparison();
  const plot = (title: string, y: string, x: Plot['x'], points: (hours: Hours) => Point[]): Plot => {
    const lines = (name: string, colour: string, months: readonly Hours[]): Plot['series'][number] => ({
      ...{ name, colour },
      // One line after the other: a step back begins a new one.
      points: months.flatMap(points),
    });
    return {
      title,
      y,
      x,
      series: [lines('model', COLOURS.orange, model), lines('rekaman / recorded', COLOURS.blue, recorded)],
    };
  };
  const axis = (
    from: number,
    to: number,
    step: number,
    label = (at: number): string => String(at),
  ): Plot['x'] => ({
    from,
    to,
    ticks: Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => ({
      at: from + i * step,
      label: label(from + i * step),
    })),
  });
  const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const diurnal = (parameter: keyof AirSample, name: string): Plot =>
    plot(
      `${name}: jam dalam sehari / hour of the day`,
      'bagian dari rata-rata / share of the mean',
      axis(0, 23, 3),
      (hours) => range(24).map((hour) => [hour, shareOfDay(hours, parameter, hour, hour + 1)]),
    );
  return plotsSvg([
    plot(
      'PM2.5: sebaran / distribution',
      'µg/m³',
      axis(0, 100, 10, (at) => `${at} %`),
      (hours) => range(49).map((i) => [2 + 2 * i, quantile(hours, 'pm25', (2 + 2 * i) / 100)]),
    ),
    plot(
      'PM2.5: ingatan / autocorrelation',
      'log',
      axis(0, LONGEST_LAG, 6, (at) => `${at} h`),
      (hours) => {
        const series = valuesOf(hours, 'pm25', true);
        return range(LONGEST_LAG + 1).map((lag) => [
          lag,
          lag === 0 ? 1 : correlation(series.slice(0, -lag), series.slice(lag)),
        ]);
      },
    ),
    diurnal('pm25', 'PM2.5'),
    diurnal('o3', 'O3'),
  ]);
}
