import { createHash } from 'node:crypto';
import type { Column } from './columns.js';

/** What a spreadsheet takes for a formula when a cell begins with it, and what begins the last line here. */
const FORMULA = /^[=+\-@\t\r\n#＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n;]/;
const LINE_END = '\r\n';

/**
 * A cell. Numbers stand as in JSON and are never changed; a text that a spreadsheet would compute has an apostrophe before it.
 */
export function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return quoted(JSON.stringify(value));
  return quoted(FORMULA.test(value) ? `'${value}` : value);
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Both ends of what was asked for, as far as it has any. */
export interface CsvSpan {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * A table as CSV (RFC 4180), page by page. Its last line tells how many rows there are and the SHA-256 of all bytes before
 * that line, so that a file that was cut is noticed; its other cells are empty.
 */
export async function* csvOf(
  columns: readonly Column[],
  pages: AsyncIterable<readonly object[]>,
  { from, to }: CsvSpan,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const counted = (text: string): string => {
    hash.update(text);
    return text;
  };
  yield counted(columns.map(({ name }) => cellOf(name)).join(',') + LINE_END);
  let rows = 0;
  for await (const page of pages) {
    if (page.length === 0) continue;
    rows += page.length;
    const lines = page.map((item) => columns.map(({ of }) => cellOf(of(item as never))).join(','));
    yield counted(lines.join(LINE_END) + LINE_END);
  }
  const span = [...(from === undefined ? [] : [`from=${from}`]), ...(to === undefined ? [] : [`to=${to}`])];
  const last = ['#end', `rows=${rows}`, `sha256=${hash.digest('hex')}`, ...span, 'times=UTC'].join(' ');
  yield last + ','.repeat(Math.max(0, columns.length - 1)) + LINE_END;
}
