export * from './follow.js';
export * from './journal.js';
export * from './lmdb-journal.js';
