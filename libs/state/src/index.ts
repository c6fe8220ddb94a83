export * from './lmdb-state-store.js';
export * from './state-store.js';
