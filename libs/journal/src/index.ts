export type { DiskUsage } from './disk-space.js';
export * from './each-entry.js';
export { decodeEntries } from './chunk.js';
export * from './entry-block.js';
export * from './follow.js';
export * from './journal.js';
export * from './lmdb-journal.js';
