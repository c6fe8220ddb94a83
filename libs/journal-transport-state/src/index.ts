export * from './account.js';
export * from './account-queries.js';
