/** An InfluxQL identifier. */
export function identifier(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** An InfluxQL string literal. */
export function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
}
