import { parseYaml } from '#libs/kernel';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { functionOf, indicatorsFileSchema } from './catalogue.js';

const SHIPPED = readFileSync('config/indicators.yaml', 'utf8');
const parsed = (yaml: string) => parseYaml('indicators.yaml', yaml, indicatorsFileSchema).indicators;
const ONE = `indicators:
  - key: env.aq.pm10_daily_mean
    version: 1
    name: { id: a, en: b }
    formula: { id: a, en: b }
    unit: ug/m3
    deviceKind: air
    function: mean-of-hours
    arguments: { parameter: pm10 }
`;

describe('indicators.yaml', () => {
  it('holds the indicators that come with Pantau, each with the function that it names', () => {
    const definitions = parsed(SHIPPED);
    expect(definitions.map(({ key, version }) => `${key} ${version}`)).toEqual(
      expect.arrayContaining(['env.aq.pm25_daily_mean 4', 'soc.cctv.availability 3']),
    );
    expect(definitions.map((one) => functionOf(one).series(one.arguments))).toEqual(
      expect.arrayContaining(['pm25', 'heartbeat']),
    );
  });

  it.each([
    [
      'function: mean-of-hours',
      'function: mean-of-ours',
      /:8: .*no function "mean-of-ours"; known: .*Did you mean mean-of-hours\?/,
    ],
    ['{ parameter: pm10 }', '{ parameter: pm11 }', /:9: indicators\.0\.arguments\.parameter: /],
    [
      '{ parameter: pm10 }',
      '{ parameter: pm10, n: 1 }',
      /:9: indicators\.0\.arguments: Unrecognized key: "n"/,
    ],
    [
      'deviceKind: air',
      'deviceKind: air\n    period: decade',
      /:8: indicators\.0\.period: .*"hour"\|"day"\|"month"\|"quarter"\|"year"/,
    ],
    ['version: 1', 'version: 0', /:3: indicators\.0\.version: /],
  ])('refuses, where "%s" is "%s", with the line and what is expected', (right, wrong, message) => {
    expect(parsed(ONE)).toHaveLength(1);
    expect(() => parsed(ONE.replace(right, wrong))).toThrow(message);
  });

  it('refuses two of one key', () => {
    expect(() => parsed(ONE + ONE.replace('indicators:\n', ''))).toThrow(/keys of indicators must differ/);
  });
});

describe('an indicator is data', () => {
  it('of which no code asks whether it is this one or that', () => {
    const keys = parsed(SHIPPED).map(({ key }) => key);
    const sources = ['apps', 'libs'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.ts$/.test(name) && !/\.(spec|e2e-spec|fixture|contract)\.ts$/.test(name))
        .map((name) => join(folder, name)),
    );
    const asking = sources.filter((file) => {
      const text = readFileSync(file, 'utf8');
      return keys.some((key) => text.includes(key)) || /\bindicator\s*[!=]==?\s*(?:['"`]\w|[A-Z])/.test(text);
    });
    // The demonstration shows one, and the help of the command line names one as an example.
    expect(asking.filter((file) => !/^apps\/pantau\/src\/(demo|program)\.ts$/.test(file))).toEqual([]);
  });
});
