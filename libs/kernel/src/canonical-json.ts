/**
 * JSON with the members of every object in code-unit order and no white space: one value, one text. What is
 * hashed or compared byte by byte (evidence, rule versions) is written with it. Follows RFC 8785 for the values
 * that Pantau writes: finite numbers, strings, booleans, null, arrays and plain objects.
 *
 * @throws TypeError for a number that is not finite
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
