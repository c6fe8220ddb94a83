export type { DiskUsage } from './disk-space.js';
export { decodeEntries } from './chunk.js';
export * from './direct-blocks.js';
export * from './entry-block.js';
export * from './lmdb-environment.js';
export * from './lmdb-journal.js';
export * from './lmdb-state-store.js';
