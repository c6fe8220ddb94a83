/** Days stay the text that was chosen; the regency's zone makes them instants, whatever the zone of the browser is. */
const DAY = 86_400_000;
/** WIB has no summer time. */
const OFFSET = '+07:00';

/** The first instant of a day of the regency, `2026-11-29`; undefined where it is no day. */
export function beginOf(day: string): string | undefined {
  return instantOf(day, 0);
}

/** The first instant after a day of the regency. */
export function endOf(day: string): string | undefined {
  return instantOf(day, DAY);
}

function instantOf(day: string, plus: number): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const ms = Date.parse(`${day}T00:00:00${OFFSET}`);
  return Number.isNaN(ms) ? undefined : new Date(ms + plus).toISOString();
}
