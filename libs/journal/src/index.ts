export * from './follow.js';
export * from './journal.js';
export * from './pages.js';
export * from './unreadable-entry.js';
