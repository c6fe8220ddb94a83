/** DuckDB's bound of memory; what does not fit is spilled to the disk. Left out, DuckDB takes up to four fifths of the machine's. */
export function memoryLimit(bytes: number | undefined): Record<string, string> {
  return bytes === undefined ? {} : { memory_limit: `${Math.floor(bytes / 1e6)}MB` };
}
