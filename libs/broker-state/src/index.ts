export * from './broker-queries.js';
