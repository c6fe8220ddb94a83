/** Figures and times for people. Pure: the language is an argument. */

/** The regency's. */
export const ZONE = 'Asia/Jakarta';
export const ZONE_NAME = 'WIB';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>();
function cached<F extends Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: () => F,
): F {
  const known = (formats.get(key) as F | undefined) ?? make();
  formats.set(key, known);
  return known;
}

/** A figure in the reader's way of writing: `37,5`. A dash where there is none. */
export function formatNumber(value: number | null | undefined, locale: string, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return cached(
    `n ${locale} ${digits}`,
    () => new Intl.NumberFormat(locale, { maximumFractionDigits: digits, signDisplay: 'negative' }),
  ).format(value);
}

/** `29 Nov 2026 19.05.30 WIB`; the zone is always said. */
export function formatInstant(ms: number, locale: string, { seconds = true, day = true } = {}): string {
  const options: Intl.DateTimeFormatOptions = {
    timeZone: ZONE,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
    ...(day ? { day: 'numeric', month: 'short', year: 'numeric' } : {}),
  };
  const key = `t ${locale} ${String(seconds)} ${String(day)}`;
  return `${cached(key, () => new Intl.DateTimeFormat(locale, options))
    .format(ms)
    .replaceAll(',', '')} ${ZONE_NAME}`;
}

/** A calendar day of the regency, `2026-11-29`. */
export function dayOf(ms: number): string {
  return cached('day', () => new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE })).format(ms);
}

/** How long ago, in the largest unit that fits: `3 menit yang lalu`. */
export function formatAge(ageMs: number, locale: string): string {
  const relative = cached(`r ${locale}`, () => new Intl.RelativeTimeFormat(locale, { numeric: 'always' }));
  const age = Math.max(0, ageMs);
  if (age < MINUTE) return relative.format(-Math.floor(age / SECOND), 'second');
  if (age < 2 * HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute');
  if (age < 2 * DAY) return relative.format(-Math.floor(age / HOUR), 'hour');
  return relative.format(-Math.floor(age / DAY), 'day');
}

const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
] as const;

/** A length of time in its largest whole unit: `5 menit`. */
export function formatDuration(ms: number, locale: string): string {
  const [unit, size] = UNITS.find(([, one]) => ms >= one && ms % one === 0) ?? UNITS[3];
  const options = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 } as const;
  return cached(`d ${locale} ${unit}`, () => new Intl.NumberFormat(locale, options)).format(ms / size);
}

export function formatBytes(bytes: number, locale: string): string {
  const step = Math.min(3, Math.max(0, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1_000))));
  const unit = (['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const)[step] ?? 'byte';
  const options = { style: 'unit', unit, maximumFractionDigits: 1 } as const;
  return cached(`b ${locale} ${unit}`, () => new Intl.NumberFormat(locale, options)).format(
    bytes / 1_000 ** step,
  );
}
