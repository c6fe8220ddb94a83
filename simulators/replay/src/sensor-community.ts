import { PantauError } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RecordedSample } from './recording.js';

/** Columns of the archive of sensor.community that Pantau has a parameter for. `P1` is PM10 and `P2` is PM2.5. */
const COLUMNS = {
  P1: 'pm10',
  P2: 'pm25',
  temperature: 'temperature',
  humidity: 'humidity',
} as const satisfies Readonly<Record<string, MeasuredParameter>>;

/**
 * Reads files of the archive of sensor.community: semicolons, one line for each measurement, UTC without a zone mark. A
 * file may hold several sensors.
 *
 * @returns samples by sensor id, in the order of the file
 * @throws PantauError `CONFIG_UNREADABLE`, or `CONFIG_INVALID` with file and line
 */
export function readArchive(file: string): Map<string, RecordedSample[]> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the archive ${file}.`, {
      remedy: 'Give the path of a CSV file of archive.sensor.community, as it is or with gzip.',
      cause,
    });
  }
  const [header = '', ...lines] = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .trim()
    .split('\n');
  const columns = header.trim().split(';');
  const invalid = (line: number, expected: string): PantauError =>
    new PantauError('CONFIG_INVALID', `${file}:${line}: expected ${expected}`);
  const [sensor, time] = [columns.indexOf('sensor_id'), columns.indexOf('timestamp')];
  if (sensor === -1 || time === -1)
    throw invalid(1, `columns sensor_id and timestamp, found ${header.slice(0, 200)}`);
  const measured = Object.entries(COLUMNS)
    .map(([name, parameter]) => [columns.indexOf(name), parameter] as const)
    .filter(([index]) => index !== -1);
  const sensors = new Map<string, RecordedSample[]>();
  for (const [i, line] of lines.entries()) {
    const row = line.trim().split(';');
    const ts = Date.parse(`${row[time] ?? ''}Z`);
    if (Number.isNaN(ts)) throw invalid(i + 2, `a time in UTC, found "${row[time] ?? ''}"`);
    const values: Partial<Record<MeasuredParameter, number>> = {};
    for (const [index, parameter] of measured) {
      const cell = row[index] ?? '';
      if (cell === '' || cell === 'nan' || cell === 'unknown') continue;
      const value = Number(cell);
      if (!Number.isFinite(value))
        throw invalid(i + 2, `a number in column "${columns[index] ?? ''}", found "${cell}"`);
      values[parameter] = value;
    }
    const id = row[sensor] ?? '';
    const samples = sensors.get(id);
    if (samples === undefined) sensors.set(id, [{ ts, values }]);
    else samples.push({ ts, values });
  }
  return sensors;
}
