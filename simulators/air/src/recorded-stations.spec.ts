import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  airComparison,
  airPicture,
  correlation,
  mean,
  quantile,
  shareOfDay,
  valuesOf,
  type Hours,
} from '#simulators/replay';

const STATISTICS: Record<string, (hours: Hours) => number> = {};
function deviation(list: readonly number[]): number {
  const middle = mean(list);
  return Math.sqrt(list.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (list.length - 1));
}

for (const q of [0.1, 0.25, 0.75, 0.9])
  STATISTICS[`distribution of PM2.5: ${q * 100}th percentile by the median, log`] = (hours) =>
    Math.log(quantile(hours, 'pm25', q) / quantile(hours, 'pm25', 0.5));
for (const parameter of ['pm25', 'pm10', 'co', 'no2', 'o3'] as const) {
  STATISTICS[`distribution of ${parameter}: median, log`] = (hours) =>
    Math.log(quantile(hours, parameter, 0.5));
  for (const lag of [1, 6, 24])
    STATISTICS[`autocorrelation of ${parameter} after ${lag} h`] = (hours) => {
      const series = valuesOf(hours, parameter, true);
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
      shareOfDay(hours, parameter, from, to);
for (const parameter of ['pm10', 'co', 'no2', 'so2', 'o3'] as const)
  STATISTICS[`correlation of PM2.5 with ${parameter}`] = (hours) =>
    correlation(valuesOf(hours, 'pm25', true), valuesOf(hours, parameter, true));
STATISTICS['correlation of ozone with NO2'] = (hours) =>
  correlation(valuesOf(hours, 'o3'), valuesOf(hours, 'no2'));

const { recorded, model: simulated } = airComparison();

describe('the model of the air beside the recorded stations', () => {
  it.each(Object.keys(STATISTICS))('%s', (name) => {
    const statistic = STATISTICS[name]!;
    const real = recorded.map(statistic);
    const model = simulated.map(statistic);
    // The tolerance is what months of real stations differ by: the model's mean must lie within two of their deviations.
    expect(Math.abs(mean(model) - mean(real))).toBeLessThan(2 * deviation(real));
  });

  it('is the picture of docs/simulators.md', () => {
    const picture = join(import.meta.dirname, '../../../docs/pictures/air-model.svg');
    // `npm run docs:schema` draws it again.
    expect(readFileSync(picture, 'utf8')).toBe(airPicture());
  });
});
