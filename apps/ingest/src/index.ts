export type { IngestOptions } from './ingest-options.js';
export * from './ingest.module.js';
export { timePolicyOf } from './known-devices.js';
export * from './replay.js';
