export * from './ingest-queries.js';
