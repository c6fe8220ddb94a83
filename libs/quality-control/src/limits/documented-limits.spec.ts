import { HOUR, MINUTE, type Millis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QC_LIMITS_V1, QC_LIMITS_VERSION, type QcLimits } from './limits.js';

const PAGE = readFileSync(
  join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'quality-control.md'),
  'utf8',
);
/** The parameters of each column. */
const COLUMNS: readonly (readonly MeasuredParameter[])[] = [
  ...[['pm25'], ['pm10'], ['co'], ['no2', 'o3', 'so2', 'hc'], ['temperature'], ['humidity']],
] as MeasuredParameter[][];

const time = (ms: Millis): string => (ms < HOUR ? `${ms / MINUTE} min` : `${ms / HOUR} h`);
const range = ([low, high]: readonly [number, number]): string => `${low}–${high}`;

/** What each row says of a parameter; empty where the test is off. */
const ROWS: Readonly<Record<string, (limits: QcLimits) => string>> = {
  'Fail outside': (of) => range(of.range.fail),
  'Suspect outside': (of) => range(of.range.suspect),
  'Spike: suspect, fail': ({ spike }) => `${spike!.suspect}, ${spike!.fail}`,
  'Flat line: suspect, fail after': ({ flatLine }) =>
    `${time(flatLine!.suspectAfter)}, ${time(flatLine!.failAfter)}`,
  '… and not before': ({ flatLine }) => `${flatLine!.suspectSamples}, ${flatLine!.failSamples}`,
  '… values are equal below': ({ flatLine }) => `${flatLine!.tolerance}`,
  'Change in a minute, suspect above': ({ rateOfChange }) => `${rateOfChange!.perMinute}`,
  'Cross-parameter': ({ crossParameter }) =>
    crossParameter === null ? '' : `≤ PM10 + ${crossParameter.tolerance * 100} %`,
  'Saturation, suspect after': ({ saturation }) =>
    saturation === null ? '' : `≥ ${saturation.from} %, ${time(saturation.suspectAfter)}`,
  'Neighbours disagree beyond': ({ neighbours }) =>
    [neighbours!.distance, neighbours!.factor].filter((limit) => limit !== null).join(' and '),
};

/** Without units and marks of thousands. */
const plain = (cell: string): string =>
  cell
    .replaceAll('−', '-')
    .replaceAll(/(?<=\d) (?=\d{3})/g, '')
    .replaceAll(/ (?:µg\/m³|°C|values|times)| %$/g, '');

describe('the table of default limits in docs/quality-control.md', () => {
  const [, version, text = ''] = /## Default limits, version (\d+)\n([^]*?)\n## /.exec(PAGE) ?? [];
  const table = text.split('\n').filter((line) => line.startsWith('| '));
  const rows = table.slice(2).map((line) => {
    const [label = '', ...cells] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const said: string[] = [];
    for (const cell of cells) said.push(cell === 'same' ? (said.at(-1) ?? '') : cell);
    return [label.replace(' (ours)', ''), said] as const;
  });

  it('is that of the shipped version, and has the rows of what there is', () => {
    expect(Number(version)).toBe(QC_LIMITS_VERSION);
    expect(rows.map(([label]) => label)).toEqual(Object.keys(ROWS));
  });

  it.each(rows)('%s', (label, cells) => {
    const said = cells.map(plain);
    const ships = COLUMNS.map(([first, ...others]) => {
      const of = ROWS[label]!;
      const own = of(QC_LIMITS_V1[first!]);
      const exceptions = others.filter((name) => of(QC_LIMITS_V1[name]) !== own);
      const except = exceptions.map((name) => `; ${name.toUpperCase()} ${of(QC_LIMITS_V1[name])}`);
      return plain(own + except.join(''));
    });
    // Written out below the table.
    if (label === 'Fail outside') said[3] = ships[3]!;
    expect(said).toEqual(ships);
  });
});
