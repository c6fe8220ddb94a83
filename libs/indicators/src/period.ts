import { HOUR, localDateOf, localDaySpan, PantauError, type TimeSpan, type UtcMillis } from '#libs/kernel';

export const PERIOD_UNITS = ['hour', 'day', 'month', 'quarter', 'year'] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];

/** A period of the calendar of the regency; its name says which: `2015-12-07T13`, `2015-12-07`, `2015-12`, `2015-Q4`, `2015`. */
export interface Period extends TimeSpan {
  readonly unit: PeriodUnit;
  readonly name: string;
}

const MONTHS_A_QUARTER = 3;
const NAMES = {
  hour: [/^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3])$/, 'YYYY-MM-DDTHH'],
  day: [/^\d{4}-\d{2}-\d{2}$/, 'YYYY-MM-DD'],
  month: [/^(\d{4})-(\d{2})$/, 'YYYY-MM'],
  quarter: [/^(\d{4})-Q([1-4])$/, 'YYYY-Qn'],
  year: [/^(\d{4})$/, 'YYYY'],
} as const satisfies Record<PeriodUnit, readonly [RegExp, string]>;

/** @throws PantauError `OUT_OF_RANGE` when there is no such period */
export function periodOf(unit: PeriodUnit, name: string): Period {
  const [pattern, expected] = NAMES[unit];
  const parts = pattern.exec(name);
  const span = parts === null ? undefined : spanOf(unit, parts);
  if (span !== undefined) return { unit, name, ...span };
  const calendar = unit === 'day' ? 'calendar day' : unit;
  const message = `"${name}" is not a ${calendar}; expected ${expected}`;
  throw new PantauError('OUT_OF_RANGE', `${message}.`, { fields: [{ field: 'period', message }] });
}

/** The period of that name, whose form says of which unit it is; undefined when there is none. */
export function periodNamed(name: string): Period | undefined {
  for (const unit of PERIOD_UNITS) {
    const parts = NAMES[unit][0].exec(name);
    const span = parts === null ? undefined : spanOf(unit, parts);
    if (span !== undefined) return { unit, name, ...span };
  }
  return undefined;
}

/** The period that holds an instant. */
export function periodAt(unit: PeriodUnit, at: UtcMillis): Period {
  return periodOf(unit, nameAt(unit, at));
}

function nameAt(unit: PeriodUnit, at: UtcMillis): string {
  const date = localDateOf(at);
  const [year = '', month = ''] = date.split('-');
  switch (unit) {
    case 'hour': {
      const hour = Math.floor((at - (localDaySpan(date)?.from ?? at)) / HOUR);
      return `${date}T${String(hour).padStart(2, '0')}`;
    }
    case 'day':
      return date;
    case 'month':
      return `${year}-${month}`;
    case 'quarter':
      return `${year}-Q${Math.ceil(Number(month) / MONTHS_A_QUARTER)}`;
    case 'year':
      return year;
  }
}

function spanOf(unit: PeriodUnit, [whole, first = '', second = '']: RegExpExecArray): TimeSpan | undefined {
  switch (unit) {
    case 'hour': {
      const day = localDaySpan(first);
      if (day === undefined) return undefined;
      const from = day.from + Number(second) * HOUR;
      return { from, to: from + HOUR };
    }
    case 'day':
      return localDaySpan(whole);
    case 'month':
      return months(Number(first), Number(second), 1);
    case 'quarter':
      return months(Number(first), 1 + (Number(second) - 1) * MONTHS_A_QUARTER, MONTHS_A_QUARTER);
    case 'year':
      return months(Number(first), 1, 12);
  }
}

/** @param month - from 1; undefined for one that there is not */
function months(year: number, month: number, count: number): TimeSpan | undefined {
  const [from, to] = [
    dayOne(year, month),
    dayOne(year + Math.floor((month + count - 1) / 12), ((month + count - 1) % 12) + 1),
  ];
  return from === undefined || to === undefined ? undefined : { from: from.from, to: to.from };
}

function dayOne(year: number, month: number): TimeSpan | undefined {
  return localDaySpan(`${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-01`);
}
