import { deviceSchema, type Device } from '#libs/identity';
import { parseDuration, PantauError } from '#libs/kernel';
import { parse, type Info } from 'csv-parse/sync';

const REQUIRED = ['id', 'site'] as const;
const OPTIONAL = ['kind', 'name', 'interval', 'max_age', 'speaks_for'] as const;
const COLUMNS: readonly string[] = [...REQUIRED, ...OPTIONAL];
const COLUMN_OF: Readonly<Record<string, string>> = {
  intervalMs: 'interval',
  maxAgeMs: 'max_age',
  speaksFor: 'speaks_for',
};
const EXPECTED: Readonly<Record<string, string>> = {
  interval: 'expected a duration such as 30s, 1m, 1h, from 1s to 1d',
  max_age: 'expected a duration such as 12h, 90d',
};
const SHOWN_PROBLEMS = 20;

/**
 * Reads a list of devices as CSV with a header: `id,site[,kind][,name][,interval][,max_age][,speaks_for]`; separators are comma or
 * semicolon, as spreadsheets with Indonesian settings write them.
 *
 * @throws PantauError `USAGE` with the line and what was expected, for every line that is wrong; nothing is half taken
 */
export function readDeviceList(text: string, file: string): Device[] {
  let rows: readonly { readonly record: Record<string, string>; readonly info: Info }[];
  try {
    rows = parse(text, {
      bom: true,
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      delimiter: [',', ';'],
      trim: true,
      skip_empty_lines: true,
      info: true,
    }) as never;
  } catch (cause) {
    throw new PantauError(
      'USAGE',
      `${file} is not a CSV file that can be read: ${(cause as Error).message}.`,
      { cause },
    );
  }
  const problems: string[] = [];
  const header = Object.keys(rows[0]?.record ?? {});
  const missing = REQUIRED.filter((name) => !header.includes(name));
  const unknown = header.filter((name) => !COLUMNS.includes(name));
  if (rows.length === 0) problems.push(`${file}: expected a header and at least one device`);
  else if (missing.length > 0) problems.push(`${file}:1: missing column ${missing.join(', ')}`);
  if (unknown.length > 0)
    problems.push(`${file}:1: unknown column ${unknown.join(', ')}; known: ${COLUMNS.join(', ')}`);

  const devices: Device[] = [];
  const lines = new Map<string, number>();
  if (problems.length === 0) {
    for (const { record, info } of rows) {
      const { id = '', site = '', kind = '', name = '', interval = '' } = record;
      const { max_age: maxAge = '', speaks_for: speaksFor = '' } = record;
      const intervalMs = interval === '' ? 60_000 : parseDuration(interval);
      const result = deviceSchema.safeParse({
        id,
        site,
        kind: kind === '' ? 'air' : kind,
        name: name === '' ? id : name,
        intervalMs: intervalMs ?? NaN,
        ...(maxAge === '' ? {} : { maxAgeMs: parseDuration(maxAge) ?? NaN }),
        ...(speaksFor === '' ? {} : { speaksFor: speaksFor.split(/\s+/) }),
      });
      const earlier = lines.get(id);
      if (earlier !== undefined)
        problems.push(`${file}:${info.lines}: ${id} stands in line ${earlier} already`);
      lines.set(id, info.lines);
      if (result.success) devices.push(result.data);
      else
        for (const { path, message } of result.error.issues) {
          const member = String(path[0]);
          const column = COLUMN_OF[member] ?? member;
          const found = record[column] ?? '';
          const expected = EXPECTED[column] ?? message;
          problems.push(`${file}:${info.lines}: ${column} "${found}": ${expected}`);
        }
    }
  }
  if (problems.length > 0) {
    const more = problems.length > SHOWN_PROBLEMS ? [`… and ${problems.length - SHOWN_PROBLEMS} more`] : [];
    throw new PantauError(
      'USAGE',
      [`nothing was imported.`, ...problems.slice(0, SHOWN_PROBLEMS), ...more].join('\n  '),
    );
  }
  return devices;
}
