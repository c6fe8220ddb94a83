export * from './journal.js';
export * from './lmdb-journal.js';
