/** Enough for any instant in milliseconds. */
const DIGITS = 15;

/** A whole number of at least 0 as a text that sorts as the number does, for keys. */
export function sortable(number: number, digits = DIGITS): string {
  return String(number).padStart(digits, '0');
}
