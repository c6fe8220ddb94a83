import { SECOND, type Millis, type UtcMillis } from '#libs/kernel';
import { parseDateTime } from '#libs/telemetry';

/** What is said about a file to its sender, Indonesian and English. */
export function both(id: string, en: string): string {
  return `${id} / ${en}`;
}

/** A fault of a cell, and what to do about it. */
export interface CellFault {
  readonly detail: string;
  readonly remedy: string;
}

export type DecimalMark = 'comma' | 'point';

/** Units in which loggers count the time since 1970; milliseconds in one count. */
export const EPOCH_UNITS = { s: SECOND, ms: 1, us: 0.001 } as const satisfies Record<string, Millis>;
export type EpochUnit = keyof typeof EPOCH_UNITS;

const EPOCH = /^\d{1,17}(?:\.\d{1,9})?$/;
const PLAIN = /^[+-]?(?:\d+|\d*\.\d+|\d+\.)(?:e[+-]?\d{1,3})?$/i;
/** One to three digits and groups of three: `1.234` is 1,234 in one country and 1234 in another. */
const GROUPED = /^[+-]?[1-9]\d{0,2}(?:([.,\u00a0\u202f' ])\d{3})(?:\1\d{3})*(?:[.,]\d+)?$/;

/** Whether the cell counts the time since 1970, in whatever unit. */
export function isEpoch(cell: string): boolean {
  return EPOCH.test(cell);
}

/** The instant that a date and time states. @param utcOffsetMs - of a cell without a zone */
export function readDateCell(cell: string, utcOffsetMs: Millis | undefined): UtcMillis | CellFault {
  const parsed = parseDateTime(cell);
  if (parsed === undefined)
    return {
      detail: both(
        `waktu "${shown(cell)}" tidak ada atau tidak terbaca`,
        `the time "${shown(cell)}" does not exist or cannot be read`,
      ),
      remedy: both(
        'tulis 2026-01-31T23:59:59+07:00, 2026-01-31 23:59 dengan utcOffset, atau detik sejak 1970; 24:00 adalah 00:00 hari berikutnya',
        'write 2026-01-31T23:59:59+07:00, 2026-01-31 23:59 with utcOffset, or seconds since 1970; 24:00 is 00:00 of the next day',
      ),
    };
  const offsetMs = parsed.offsetMs ?? utcOffsetMs;
  if (offsetMs !== undefined) return parsed.local - offsetMs;
  return {
    detail: both(`waktu "${shown(cell)}" tanpa zona`, `the time "${shown(cell)}" has no zone`),
    remedy: both(
      'sebutkan utcOffset=+07:00 pada unggahan, atau tulis zonanya',
      'give utcOffset=+07:00 with the upload, or write the zone',
    ),
  };
}

/**
 * Reads a number in the decimal mark of the file. Only what can be read in one way: no marks of thousands, no `0x10`.
 *
 * @param mark - undefined when neither the sender nor any cell of the file tells it
 */
export function readNumberCell(cell: string, mark: DecimalMark | undefined): number | CellFault {
  const other = mark === 'comma' ? '.' : ',';
  const isClear = mark === undefined ? !/[.,]/.test(cell) : !cell.includes(other);
  const text = mark === 'comma' ? cell.replace(',', '.') : cell;
  const number = isClear && PLAIN.test(text) ? Number(text) : NaN;
  if (Number.isFinite(number)) return number;
  if (!GROUPED.test(cell))
    return {
      detail: both(`"${shown(cell)}" bukan bilangan`, `"${shown(cell)}" is no number`),
      remedy: both(
        'tulis bilangan desimal biasa; kosongkan yang tidak terukur',
        'write a plain decimal number; leave empty what was not measured',
      ),
    };
  return {
    detail: both(
      `"${shown(cell)}" dapat dibaca dengan dua cara: tanda desimal atau tanda ribuan`,
      `"${shown(cell)}" can be read in two ways: a decimal mark or a mark of thousands`,
    ),
    remedy: both(
      'hapus tanda ribuan; bila itu tanda desimal, sebutkan decimal=comma atau decimal=point',
      'leave out marks of thousands; if it is the decimal mark, give decimal=comma or decimal=point',
    ),
  };
}

/** The decimal mark that the cell proves; undefined when it can be read with either. */
export function decimalMarkOf(cell: string): DecimalMark | undefined {
  if (GROUPED.test(cell) && !/[.,]\d+[.,]/.test(cell)) return undefined;
  if (/^[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d*),\d*$/.test(cell)) return 'comma';
  if (/^[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d*)\.\d*(?:e[+-]?\d+)?$/i.test(cell)) return 'point';
  return undefined;
}

/** A cell for a report. */
export function shown(cell: string): string {
  return cell.length > 40 ? `${cell.slice(0, 40)}…` : cell;
}
