export type { IngestOptions } from './ingest-options.js';
export * from './ingest.module.js';
