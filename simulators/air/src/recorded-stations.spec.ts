import { DAY, HOUR, type UtcMillis } from '#libs/kernel';
import { readRecording } from '#simulators/replay';
import { Air, type AirSample } from './air.js';
import { CLIMATES } from './climate.js';

type Hours = readonly { readonly ts: UtcMillis; readonly values: Partial<Record<keyof AirSample, number>> }[];
const OFFSET = 8 * HOUR;
const WINDOW = 30 * DAY;

const STATISTICS: Record<string, (hours: Hours) => number> = {};
const numbers = (hours: Hours, parameter: keyof AirSample, log = false): (number | undefined)[] =>
  hours.map(({ values }) => {
    const value = values[parameter];
    return value === undefined || !log ? value : Math.log(value);
  });
function correlation(a: readonly (number | undefined)[], b: readonly (number | undefined)[]): number {
  const pairs = a.flatMap((x, i) => (x === undefined || b[i] === undefined ? [] : [[x, b[i]] as const]));
  const mean = (k: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [mx, my] = [mean(0), mean(1)];
  const sum = (f: (x: number, y: number) => number): number =>
    pairs.reduce((total, [x, y]) => total + f(x - mx, y - my), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_x, y) => y * y));
}
function quantile(hours: Hours, parameter: keyof AirSample, q: number): number {
  const sorted = numbers(hours, parameter)
    .flatMap((x) => (x === undefined ? [] : [x]))
    .sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
}
function mean(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0) / list.length;
}
function deviation(list: readonly number[]): number {
  const middle = mean(list);
  return Math.sqrt(list.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (list.length - 1));
}
/** Mean of the hours of the day from `from` to `to`, as a share of the mean of all. */
function share(hours: Hours, parameter: keyof AirSample, from: number, to: number): number {
  const all = hours.flatMap(({ ts, values }) => {
    const value = values[parameter];
    return value === undefined ? [] : [[Math.floor(((ts + OFFSET) % DAY) / HOUR), value] as const];
  });
  const inside = all.filter(([hour]) => hour >= from && hour < to).map(([, value]) => value);
  return mean(inside) / mean(all.map(([, value]) => value));
}

for (const q of [0.1, 0.25, 0.75, 0.9])
  STATISTICS[`distribution of PM2.5: ${q * 100}th percentile by the median, log`] = (hours) =>
    Math.log(quantile(hours, 'pm25', q) / quantile(hours, 'pm25', 0.5));
for (const parameter of ['pm25', 'pm10', 'co', 'no2', 'o3'] as const) {
  STATISTICS[`distribution of ${parameter}: median, log`] = (hours) =>
    Math.log(quantile(hours, parameter, 0.5));
  for (const lag of [1, 6, 24])
    STATISTICS[`autocorrelation of ${parameter} after ${lag} h`] = (hours) => {
      const series = numbers(hours, parameter, true);
      return correlation(series.slice(0, -lag), series.slice(lag));
    };
}
for (const parameter of ['pm25', 'pm10', 'co', 'no2', 'o3'] as const)
  for (const [name, from, to] of [
    ['night', 0, 5],
    ['morning', 6, 10],
    ['afternoon', 12, 17],
    ['evening', 19, 24],
  ] as const)
    STATISTICS[`diurnal shape of ${parameter}: ${name} by the day`] = (hours) =>
      share(hours, parameter, from, to);
for (const parameter of ['pm10', 'co', 'no2', 'so2', 'o3'] as const)
  STATISTICS[`correlation of PM2.5 with ${parameter}`] = (hours) =>
    correlation(numbers(hours, 'pm25', true), numbers(hours, parameter, true));
STATISTICS['correlation of ozone with NO2'] = (hours) =>
  correlation(numbers(hours, 'o3'), numbers(hours, 'no2'));

/** Months of each recorded station, and months of the model. */
function windows(hours: Hours): Hours[] {
  const first = hours[0]?.ts ?? 0;
  const count = Math.floor(((hours.at(-1)?.ts ?? 0) + HOUR - first) / WINDOW);
  return Array.from({ length: count }, (_, i) =>
    hours.filter(({ ts }) => ts >= first + i * WINDOW && ts < first + (i + 1) * WINDOW),
  );
}

const recorded = ['beijing-dongsi', 'beijing-huairou'].flatMap((station) => windows(readRecording(station)));
const from = Date.parse('2015-11-01T00:00:00+08:00');
const simulated = [1, 2, 3, 4].flatMap((seed) => {
  const air = new Air({
    seed,
    from,
    to: from + 3 * WINDOW,
    climate: CLIMATES['beijing-winter'],
    utcOffset: OFFSET,
    episodes: [],
    sources: [],
  });
  return [0.9, 0.3].flatMap((urban) => {
    const site = { id: `s-${urban}`, urban, latitude: 39.9, longitude: 116.4 };
    return windows(
      Array.from({ length: 90 * 24 }, (_, i) => ({
        ts: from + i * HOUR,
        values: air.at(site, from + i * HOUR),
      })),
    );
  });
});

describe('the model of the air beside the recorded stations', () => {
  it.each(Object.keys(STATISTICS))('%s', (name) => {
    const statistic = STATISTICS[name]!;
    const real = recorded.map(statistic);
    const model = simulated.map(statistic);
    // The tolerance is what months of real stations differ by: the model's mean must lie within two of their deviations.
    expect(Math.abs(mean(model) - mean(real))).toBeLessThan(2 * deviation(real));
  });
});
