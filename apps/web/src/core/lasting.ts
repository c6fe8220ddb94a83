const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A length of time as exactly as people say it: in whole seconds, from two minutes on in minutes, from two hours on in hours, and in days. */
export function rounded(ms: number): number {
  const unit = ms < 2 * MINUTE ? 1_000 : ms < 2 * HOUR ? MINUTE : ms < 48 * HOUR ? HOUR : 24 * HOUR;
  return Math.max(0, Math.floor(ms / unit) * unit);
}

/** The instant at which a calendar day of the regency begins; undefined for what is no day. Western Indonesia has no summer time. */
export function startOf(day: string | null, daysLater = 0): string | undefined {
  if (day === null || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const at = Date.parse(`${day}T00:00:00+07:00`) + daysLater * 24 * HOUR;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
