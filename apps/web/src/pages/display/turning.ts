/** A list cut into parts of at most so many, each about as long as the others. */
export function partsOf<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const parts = Math.ceil(items.length / most);
  const size = Math.ceil(items.length / Math.max(parts, 1));
  return Array.from({ length: parts }, (_, i) => items.slice(i * size, (i + 1) * size));
}

const SHORTEST = 5;
const LONGEST = 600;

/** Seconds that a part is shown, of what the address says; 0: nothing turns, all is shown at once. */
export function turningSeconds(text: string | null, usual: number): number {
  const seconds = text === null || text.trim() === '' ? usual : Number(text);
  if (!Number.isFinite(seconds)) return usual;
  return seconds <= 0 ? 0 : Math.min(Math.max(seconds, SHORTEST), LONGEST);
}

/** Which of so many parts is shown at an instant: a screen that was restarted goes on with the one that others show. */
export function partAt(now: number, seconds: number, parts: number): number {
  return seconds === 0 || parts === 0 ? 0 : Math.floor(now / (seconds * 1_000)) % parts;
}
