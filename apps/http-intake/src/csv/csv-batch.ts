import { PantauError, type Millis, type UtcMillis } from '#libs/kernel';
import {
  isParameter,
  judgeTime,
  MEASURED_CODES,
  type MeasuredParameter,
  type TimePolicy,
} from '#libs/telemetry';
import { parse, type Info } from 'csv-parse/sync';
import {
  both,
  EPOCH_UNITS,
  isEpoch,
  decimalMarkOf,
  readDateCell,
  readNumberCell,
  shown,
  type CellFault,
  type DecimalMark,
  type EpochUnit,
} from './csv-cells.js';
import type { CsvFile, CsvProblem, CsvRow } from './csv-file.js';
import { orderFaults } from './csv-order.js';

/** What the sender says of a file, and what its times are judged by. */
export interface CsvOptions {
  /** Of times without a zone. */
  readonly utcOffsetMs?: Millis | undefined;
  readonly decimal?: DecimalMark | undefined;
  /** The sender knows that the lines are in no order, and stands for their times. */
  readonly order?: 'any' | undefined;
  readonly receivedAt: UtcMillis;
  readonly policy: TimePolicy;
}

interface Line {
  readonly line: number;
  readonly cells: readonly string[];
}

const MAX_LINES = 200_000;
const MAX_COLUMNS = 200;
const MAX_LINE_BYTES = 65_536;
/** No logger of Pantau's is older: tells seconds, milliseconds and microseconds apart. */
const FIRST_LOGGER: UtcMillis = Date.UTC(2000, 0, 1);

/**
 * Judges the file of an offline logger: CSV with a header of `ts`, an optional `seq`, and parameters in their own units.
 * An empty cell is a value that was not measured.
 *
 * The whole file is read before anything is said of a line: in which unit its times are, which decimal mark it has, whether
 * its times go on in one direction. What is unclear there makes every line unclear.
 *
 * The arrival never stands in for a time: a line whose time cannot be true is refused, whatever `policy` says.
 *
 * @throws PantauError `USAGE` when it is no such file at all
 */
export function readCsvBatch(text: string, options: CsvOptions): CsvFile {
  const [header, ...lines] = parsed(text);
  const columns = header.cells.map((name) => name.trim().toLowerCase());
  const ts = columns.indexOf('ts');
  if (ts < 0)
    throw new PantauError('USAGE', 'tidak ada kolom ts / the header has no column ts.', {
      remedy: both(
        'Awali berkas dengan: ts,pm25,pm10,temperature,humidity',
        'Begin the file with a line such as: ts,pm25,pm10,temperature,humidity',
      ),
    });
  const faults = columnFaults(columns, header.line);
  const time = timeOf(lines, ts, options, faults);
  const decimal = options.decimal ?? decimalOf(lines, columns, text, faults);
  const reader = new LineReader(columns, time, decimal, options);
  const rows = lines.map((line) => reader.read(line));
  if (faults.length === 0) faults.push(...orderFaults(rows, options.order));
  return { rows, problems: reader.problems, faults, read: { time, decimal } };
}

function parsed(text: string): [Line, ...Line[]] {
  const first = text.split('\n', 1)[0] ?? '';
  let found: readonly { readonly record: readonly string[]; readonly info: Info }[];
  try {
    found = parse(text, {
      bom: true,
      delimiter: [';', '\t'].find((mark) => first.includes(mark)) ?? ',',
      trim: true,
      skip_records_with_empty_values: true,
      relax_column_count: true,
      max_record_size: MAX_LINE_BYTES,
      to: MAX_LINES + 2,
      info: true,
    }) as never;
  } catch (cause) {
    throw new PantauError(
      'USAGE',
      `CSV tidak terbaca / the CSV cannot be read: ${(cause as Error).message}.`,
      { cause },
    );
  }
  const [header, ...lines] = found.map(({ record, info }): Line => ({ line: info.lines, cells: record }));
  if (header === undefined || lines.length === 0)
    throw new PantauError(
      'USAGE',
      'berkas harus punya baris kepala dan sedikitnya satu baris / expected a header and at least one line.',
    );
  if (lines.length > MAX_LINES)
    throw new PantauError(
      'USAGE',
      `lebih dari ${MAX_LINES} baris / more than ${MAX_LINES} lines in one file.`,
    );
  if (header.cells.length > MAX_COLUMNS)
    throw new PantauError(
      'USAGE',
      `${header.cells.length} kolom, paling banyak / columns, at most ${MAX_COLUMNS}.`,
    );
  return [header, ...lines];
}

function columnFaults(columns: readonly string[], line: number): CsvProblem[] {
  const twice = columns.filter((name, i) => name !== '' && columns.indexOf(name) < i);
  return [...new Set(twice)].map((column) => ({
    line,
    column,
    reason: 'schema_violation',
    detail: both(`kolom ${shown(column)} ada dua kali`, `the column ${shown(column)} is there twice`),
    remedy: both(
      'hapus salah satu; sensor kedua adalah perangkat sendiri dengan berkas sendiri',
      'leave one out; a second sensor is a device of its own with a file of its own',
    ),
  }));
}

/** In which form the times are; mixed units are a fault of the file. */
function timeOf(
  lines: readonly Line[],
  ts: number,
  { receivedAt, policy }: CsvOptions,
  faults: CsvProblem[],
): EpochUnit | 'date' {
  const firstOf = new Map<EpochUnit, Line>();
  let isCounted = false;
  for (const line of lines) {
    const cell = line.cells[ts] ?? '';
    if (!isEpoch(cell)) continue;
    isCounted = true;
    for (const [unit, unitMs] of Object.entries(EPOCH_UNITS) as [EpochUnit, Millis][]) {
      const at = Number(cell) * unitMs;
      if (at >= FIRST_LOGGER && at <= receivedAt + policy.maxFutureMs && !firstOf.has(unit))
        firstOf.set(unit, line);
    }
  }
  const [first, second] = firstOf;
  if (first !== undefined && second !== undefined)
    faults.push({
      line: Math.max(first[1].line, second[1].line),
      column: 'ts',
      reason: 'schema_violation',
      detail: both(
        `waktu dalam dua satuan: ${first[0]} pada baris ${first[1].line}, ${second[0]} pada baris ${second[1].line}`,
        `times in two units: ${first[0]} in line ${first[1].line}, ${second[0]} in line ${second[1].line}`,
      ),
      remedy: both('pakai satu satuan dalam satu berkas', 'use one unit in one file'),
    });
  // Counts that fit no unit are taken as milliseconds, and refused as too early or too late.
  return first?.[0] ?? (isCounted ? 'ms' : 'date');
}

/** Which decimal mark the numbers prove; two are a fault of the file. */
function decimalOf(
  lines: readonly Line[],
  columns: readonly string[],
  text: string,
  faults: CsvProblem[],
): DecimalMark | undefined {
  const firstOf = new Map<DecimalMark, CsvProblem>();
  for (const { line, cells } of lines) {
    for (const [i, cell] of cells.entries()) {
      const column = columns[i];
      if (column === undefined || column === 'ts' || column === 'seq') continue;
      const mark = decimalMarkOf(cell);
      if (mark === undefined || firstOf.has(mark)) continue;
      firstOf.set(mark, {
        line,
        column,
        reason: 'schema_violation',
        detail: both(`"${shown(cell)}" pada baris ${line}`, `"${shown(cell)}" in line ${line}`),
        remedy: both(
          'pakai satu tanda desimal dalam satu berkas, tanpa tanda ribuan',
          'use one decimal mark in one file, and no marks of thousands',
        ),
      });
    }
  }
  const [first, second] = firstOf.values();
  if (first !== undefined && second !== undefined)
    faults.push({
      ...second,
      detail: both(
        `dua tanda desimal dalam satu berkas: ${first.detail.split(' / ')[0] ?? ''}, ${second.detail.split(' / ')[0] ?? ''}`,
        `two decimal marks in one file: ${first.detail.split(' / ')[1] ?? ''}, ${second.detail.split(' / ')[1] ?? ''}`,
      ),
    });
  // Where commas separate, a comma cannot be the decimal mark of a cell that is not quoted.
  const separatesByComma = !/[;\t]/.test(text.split('\n', 1)[0] ?? '');
  return [...firstOf.keys()][0] ?? (separatesByComma ? 'point' : undefined);
}

/** Reads the lines of a file whose form is known. */
class LineReader {
  readonly problems: CsvProblem[] = [];
  /** A file is no live device: its arrival says nothing of its times. */
  readonly #policy: TimePolicy;

  constructor(
    private readonly columns: readonly string[],
    private readonly time: EpochUnit | 'date',
    private readonly decimal: DecimalMark | undefined,
    private readonly options: CsvOptions,
  ) {
    this.#policy = { ...options.policy, wrongClock: 'refuse' };
  }

  read({ line, cells }: Line): CsvRow {
    const { columns } = this;
    if (cells.length !== columns.length)
      return this.#refuseLine(line, cells, undefined, {
        detail: both(
          `${cells.length} sel, kepala punya ${columns.length}`,
          `${cells.length} cells where the header has ${columns.length}`,
        ),
        remedy: both(
          'periksa baris yang terpotong; koma desimal memerlukan titik koma sebagai pemisah',
          'look for a line that was cut off; decimal commas need semicolons between the cells',
        ),
      });
    const ts = this.#instant(cells[columns.indexOf('ts')] ?? '');
    if (typeof ts === 'object') return this.#refuseLine(line, cells, 'ts', ts);
    const seq = cells[columns.indexOf('seq')] ?? '';
    if (seq !== '' && !(/^\d+$/.test(seq) && Number.isSafeInteger(Number(seq))))
      return this.#refuseLine(line, cells, 'seq', {
        detail: both(`seq "${shown(seq)}" bukan pencacah`, `seq "${shown(seq)}" is no counter`),
        remedy: both('tulis bilangan bulat, atau kosongkan', 'write a whole number, or leave it empty'),
      });
    return this.#measured(line, cells, ts, seq);
  }

  #instant(cell: string): UtcMillis | CellFault {
    if (!isEpoch(cell)) return readDateCell(cell, this.options.utcOffsetMs);
    const unitMs = EPOCH_UNITS[this.time === 'date' ? 'ms' : this.time];
    const at = Math.floor(Number(cell) * unitMs);
    return Number.isSafeInteger(at) ? at : readDateCell(cell, undefined);
  }

  #measured(line: number, cells: readonly string[], ts: UtcMillis, seq: string): CsvRow {
    const values: [MeasuredParameter, number][] = [];
    /** As in the file where it is no value, so that ingest refuses it with its reason. */
    const stated: [string, number | string][] = [];
    const before = this.problems.length;
    for (const [i, cell] of cells.entries()) {
      const column = this.columns[i] ?? '';
      if (cell === '' || column === 'ts' || column === 'seq') continue;
      const number = readNumberCell(cell, this.decimal);
      stated.push([column, typeof number === 'number' ? number : cell]);
      if (typeof number === 'object')
        this.problems.push({ line, column, reason: 'schema_violation', ...number });
      else if (isParameter(column)) values.push([column, number]);
      else
        this.problems.push({
          line,
          column,
          reason: 'unknown_parameter',
          detail: both(
            `kolom ${shown(column)} bukan besaran Pantau`,
            `the column ${shown(column)} is no parameter`,
          ),
          remedy: MEASURED_CODES.join(', '),
        });
    }
    const judged = judgeTime(ts, this.options.receivedAt, this.#policy);
    const payload = Buffer.from(
      JSON.stringify({
        ts,
        ...(seq === '' ? {} : { seq: Number(seq) }),
        values: Object.fromEntries(stated) as Record<string, unknown>,
      }),
    );
    if ('refusal' in judged)
      this.problems.push({
        line,
        column: 'ts',
        reason: judged.refusal.reason,
        detail: both('waktu ini tidak dapat dipercaya', judged.refusal.detail),
        remedy: both(
          'periksa jam pencatat dan utcOffset; berkas lama memerlukan maxAge pada perangkat',
          'check the clock of the logger and utcOffset; an old file needs maxAge of the device',
        ),
      });
    else if (values.length === 0 && this.problems.length === before)
      this.problems.push({
        line,
        reason: 'schema_violation',
        detail: both('tidak ada nilai pada baris ini', 'no value in this line'),
        remedy: both('hapus baris ini', 'leave the line out'),
      });
    return { line, ts, values: 'refusal' in judged ? [] : values, payload };
  }

  /** What cannot be read is kept as it is, in a form that ingest refuses. */
  #refuseLine(
    line: number,
    cells: readonly string[],
    column: string | undefined,
    { detail, remedy }: CellFault,
  ): CsvRow {
    const where = column === undefined ? {} : { column };
    this.problems.push({ line, ...where, reason: 'schema_violation', detail, remedy });
    const payload = Buffer.from(JSON.stringify({ line, cells, refused: detail }));
    return { line, ts: undefined, values: [], payload };
  }
}
