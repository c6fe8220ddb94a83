import { HOUR, PantauError, type UtcMillis } from '#libs/kernel';
import type { Parameter } from '#libs/telemetry';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** What a station measured at an instant. A parameter that was not measured is absent, never 0. */
export interface RecordedSample {
  readonly ts: UtcMillis;
  readonly values: Readonly<Partial<Record<Parameter, number>>>;
}

/** Columns of the Beijing Multi-Site data set (UCI) that Pantau has a parameter for. */
const BEIJING_COLUMNS = {
  'PM2.5': 'pm25',
  PM10: 'pm10',
  SO2: 'so2',
  NO2: 'no2',
  CO: 'co',
  O3: 'o3',
  TEMP: 'temperature',
} as const;
/** The data set is in local time, UTC+8, without daylight saving. */
const BEIJING_OFFSET = 8 * HOUR;

/** The simulator's folder, found from the sources and from the build alike. */
export const REPLAY_FOLDER = join(
  packageRoot(dirname(fileURLToPath(import.meta.url))),
  'simulators',
  'replay',
);

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

/**
 * Reads a recorded station.
 *
 * @param recording - `beijing-dongsi`, `beijing-huairou`, or the path of a file of that form (`.csv` or `.csv.gz`)
 * @throws PantauError `CONFIG_UNREADABLE`, or `CONFIG_INVALID` with file and line
 */
export function readRecording(recording: string): RecordedSample[] {
  const shipped = join(REPLAY_FOLDER, 'data', `${recording}.csv.gz`);
  const file = existsSync(shipped) ? shipped : recording;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the recording ${file}.`, {
      remedy: 'Give beijing-dongsi, beijing-huairou or the path of a file.',
      cause,
    });
  }
  return parseBeijing(file, (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}

/** {@link readRecording} on text; `file` names it in errors. */
export function parseBeijing(file: string, text: string): RecordedSample[] {
  const [header = '', ...lines] = text.trim().split('\n');
  const columns = cells(header);
  const position = (name: string): number => {
    const index = columns.indexOf(name);
    if (index === -1)
      throw new PantauError(
        'CONFIG_INVALID',
        `${file}:1: expected a column "${name}", found ${columns.join(', ').slice(0, 200)}`,
      );
    return index;
  };
  const [year, month, day, hour] = [position('year'), position('month'), position('day'), position('hour')];
  const measured = Object.entries(BEIJING_COLUMNS).map(
    ([name, parameter]) => [position(name), parameter] as const,
  );
  return lines.map((line, i) => {
    const row = cells(line);
    const number = (index: number): number => {
      const value = Number(row[index]);
      if (row[index] === undefined || row[index] === '' || !Number.isFinite(value)) {
        throw new PantauError(
          'CONFIG_INVALID',
          `${file}:${i + 2}: expected a number in column "${columns[index] ?? ''}", found "${row[index] ?? ''}"`,
        );
      }
      return value;
    };
    const ts = Date.UTC(number(year), number(month) - 1, number(day), number(hour)) - BEIJING_OFFSET;
    const values: Partial<Record<Parameter, number>> = {};
    for (const [index, parameter] of measured) if (row[index] !== 'NA') values[parameter] = number(index);
    return { ts, values };
  });
}

/** The data set quotes text without commas or quotes in it, so taking the quotes off is enough. */
function cells(line: string): string[] {
  return line
    .trim()
    .split(',')
    .map((cell) => cell.replace(/^"|"$/g, ''));
}
