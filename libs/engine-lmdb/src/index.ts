export type { DiskUsage } from './disk-space.js';
export { decodeEntries } from './blocks/chunk.js';
export * from './blocks/direct-blocks.js';
export * from './blocks/entry-block.js';
export * from './lmdb-environment.js';
export * from './lmdb-journal.js';
export * from './lmdb-state-store.js';
