export * from './lmdb-environment.js';
export * from './lmdb-state-store.js';
export * from './state-store.js';
export * from './make-folder.js';
