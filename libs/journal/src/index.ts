export type { DiskUsage } from './disk-space.js';
export { decodeEntries } from './chunk.js';
export * from './entry-block.js';
export * from './follow.js';
export * from './journal.js';
export * from './lmdb-journal.js';
export * from './pages.js';
export * from './unreadable-entry.js';
