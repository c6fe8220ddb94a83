import { isId } from '../../core/id';

const COLUMNS = ['id', 'site', 'kind', 'name', 'interval', 'max_age', 'speaks_for'] as const;
type Column = (typeof COLUMNS)[number];
const KINDS = ['air', 'camera', 'gateway'] as const;
const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/;
const DEFAULT_INTERVAL = '1m';

/** What is wrong with a line, and with what in it; the words stand in the dictionary. */
export interface Fault {
  readonly code:
    'columns' | 'unknownColumn' | 'cells' | 'quote' | 'id' | 'site' | 'kind' | 'interval' | 'twice';
  readonly values: readonly string[];
}

const fault = (code: Fault['code'], ...values: readonly string[]): Fault => ({ code, values });

/** A device as the API takes it. */
export interface ListedDevice {
  readonly id: string;
  readonly site: string;
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  readonly interval: string;
  readonly maxAge?: string;
  readonly speaksFor?: string[];
}

/** One line of the list: what it says, or what is wrong with it. */
export interface ListedLine {
  readonly line: number;
  readonly text: string;
  readonly device?: ListedDevice;
  readonly isKnown: boolean;
  readonly faults: readonly Fault[];
}

/** What is registered. */
interface Registered {
  readonly sites: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
}

/** A list of devices as spreadsheets write it (comma or semicolon, BOM, quotes), line by line with all that is wrong. */
export function readDeviceList(text: string, registered: Registered): readonly ListedLine[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((one, i) => ({ text: one, line: i + 1 }))
    .filter((one) => one.text.trim() !== '');
  const [head, ...rest] = lines;
  if (head === undefined) return [];
  const separator = head.text.includes(';') ? ';' : ',';
  const columns = (cellsOf(head.text, separator) ?? []).map((name) => name.toLowerCase());
  const headFaults = columns
    .filter((name) => !COLUMNS.includes(name as Column))
    .map((name) => fault('unknownColumn', name));
  if (!columns.includes('id') || !columns.includes('site')) headFaults.unshift(fault('columns'));
  if (headFaults.length > 0) return [{ ...head, isKnown: false, faults: headFaults }];
  const seen = new Map<string, number>();
  return rest.map((one) => {
    const cells = cellsOf(one.text, separator);
    if (cells === undefined) return { ...one, isKnown: false, faults: [fault('quote')] };
    if (cells.length !== columns.length)
      return {
        ...one,
        isKnown: false,
        faults: [fault('cells', String(cells.length), String(columns.length))],
      };
    const cell = (name: Column): string => cells[columns.indexOf(name)] ?? '';
    const faults = faultsOf(cell, registered, seen.get(cell('id')));
    if (!seen.has(cell('id'))) seen.set(cell('id'), one.line);
    const isKnown = registered.devices.has(cell('id'));
    return faults.length > 0
      ? { ...one, isKnown, faults }
      : { ...one, isKnown, faults, device: deviceOf(cell) };
  });
}

type Cell = (name: Column) => string;

function faultsOf(cell: Cell, { sites }: Registered, earlier: number | undefined): readonly Fault[] {
  const faults: Fault[] = [];
  if (!isId(cell('id'))) faults.push(fault('id', cell('id')));
  else if (earlier !== undefined) faults.push(fault('twice', String(earlier)));
  if (!sites.has(cell('site'))) faults.push(fault('site', cell('site')));
  if (cell('kind') !== '' && kindOf(cell('kind')) === undefined) faults.push(fault('kind', cell('kind')));
  for (const name of ['interval', 'max_age'] as const)
    if (cell(name) !== '' && !DURATION.test(cell(name))) faults.push(fault('interval', cell(name)));
  for (const id of listOf(cell('speaks_for'))) if (!isId(id)) faults.push(fault('id', id));
  return faults;
}

function deviceOf(cell: Cell): ListedDevice {
  const [interval, maxAge, speaksFor] = [cell('interval'), cell('max_age'), listOf(cell('speaks_for'))];
  return {
    id: cell('id'),
    site: cell('site'),
    kind: kindOf(cell('kind')) ?? 'air',
    name: cell('name') === '' ? cell('id') : cell('name'),
    interval: interval === '' ? DEFAULT_INTERVAL : interval,
    ...(maxAge === '' ? {} : { maxAge }),
    ...(speaksFor.length === 0 ? {} : { speaksFor }),
  };
}

export const kindOf = (text: string): ListedDevice['kind'] | undefined => KINDS.find((kind) => kind === text);

/** Ids that are separated by spaces or commas. */
export const listOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** The cells of a line; undefined where a quote is not closed. */
function cellsOf(line: string, separator: string): readonly string[] | undefined {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const sign = line[i] ?? '';
    if (isQuoted && sign === '"' && line[i + 1] === '"') {
      cell += sign;
      i++;
    } else if (sign === '"') isQuoted = !isQuoted;
    else if (sign === separator && !isQuoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += sign;
  }
  return isQuoted ? undefined : [...cells, cell.trim()];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A length of time as it is typed: `5m`. */
export function durationText(ms: number): string {
  const [unit, length] = UNITS.find(([, one]) => ms % one === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}
