import { PantauError, type Millis } from '#libs/kernel';
import { parse, type Info } from 'csv-parse/sync';

export interface BatchLine {
  /** Line of the file, from 1. */
  readonly line: number;
  /** The same in Pantau's own JSON form. */
  readonly payload: Buffer;
}

const MAX_LINES = 200_000;
const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$/;

/**
 * Reads the file of an offline logger: CSV with a header of `ts`, an optional `seq`, and parameters in their own units. An
 * empty cell is a value that was not measured. Separated by semicolons, numbers may have a decimal comma, as
 * spreadsheets with Indonesian settings write them.
 *
 * Cells are not judged here: what is no number stays text, so that it is refused with its reason like every other message.
 *
 * @param utcOffsetMs - of times without a zone; undefined leaves them as they are, to be refused
 * @throws PantauError `USAGE` when the file as a whole cannot be read; nothing of it is taken then
 */
export function readCsvBatch(text: string, utcOffsetMs: Millis | undefined): BatchLine[] {
  const delimiter = (text.split('\n', 1)[0] ?? '').includes(';') ? ';' : ',';
  let rows: readonly { readonly record: Readonly<Record<string, string>>; readonly info: Info }[];
  try {
    rows = parse(text, {
      bom: true,
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      delimiter,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      info: true,
    }) as never;
  } catch (cause) {
    throw new PantauError('USAGE', `the CSV cannot be read: ${(cause as Error).message}.`, { cause });
  }
  if (rows.length === 0) throw new PantauError('USAGE', 'expected a header and at least one line.');
  if (rows.length > MAX_LINES)
    throw new PantauError('USAGE', `${rows.length} lines; at most ${MAX_LINES} in one file.`);
  if (!Object.hasOwn(rows[0]?.record ?? {}, 'ts'))
    throw new PantauError('USAGE', 'the header has no column ts.', {
      remedy: 'Begin the file with a line such as: ts,pm25,pm10,temperature,humidity',
    });
  return rows.map(({ record, info }) => {
    const { ts = '', seq = '', ...cells } = record;
    const values = Object.entries(cells)
      .filter(([, cell]) => cell !== '')
      .map(([name, cell]) => [name, numberOrText(cell, delimiter)]);
    const message = {
      ts: timeOf(ts, utcOffsetMs),
      ...(seq === '' ? {} : { seq: numberOrText(seq, delimiter) }),
      values: Object.fromEntries(values) as Record<string, unknown>,
    };
    return { line: info.lines, payload: Buffer.from(JSON.stringify(message)) };
  });
}

function numberOrText(cell: string, delimiter: string): number | string {
  const number = Number(delimiter === ';' ? cell.replace(',', '.') : cell);
  return Number.isFinite(number) ? number : cell;
}

function timeOf(cell: string, utcOffsetMs: Millis | undefined): number | string {
  if (/^\d+$/.test(cell)) return Number(cell);
  const local = LOCAL_TIME.exec(cell);
  if (local === null || utcOffsetMs === undefined) return cell.replace(' ', 'T');
  const asUtc = Date.parse(`${local[1] ?? ''}T${local[2] ?? ''}Z`);
  return Number.isNaN(asUtc) ? cell : new Date(asUtc - utcOffsetMs).toISOString();
}
