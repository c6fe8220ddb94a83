import type { LoadedConfig } from '#libs/platform';

const MB = 1e6;

/** What the embedded store may hold of its file, and of a question. The client of another server holds what lies in the heap anyway. */
export function storeMemory({ memory, store }: Pick<LoadedConfig, 'memory' | 'store'>): number {
  return store.engine === 'duckdb' ? Math.max(64 * MB, Math.min(memory / 16, 2_000 * MB)) : 0;
}

/** What a Parquet file may take while it is made; what does not fit is spilled to the disk. */
export function exportMemory({ memory }: Pick<LoadedConfig, 'memory'>): number {
  return Math.max(48 * MB, Math.min(memory / 32, 256 * MB));
}
