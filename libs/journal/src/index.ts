export type * from './direct-appends.js';
export * from './follow.js';
export * from './journal.js';
export * from './lag.js';
export type * from './new-entry.js';
export * from './pages.js';
export * from './unreadable-entry.js';
