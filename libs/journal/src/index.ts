export type { DiskUsage } from './disk-space.js';
export * from './each-entry.js';
export * from './follow.js';
export * from './journal.js';
export * from './lmdb-journal.js';
