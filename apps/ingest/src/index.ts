export { decoderChanges, DECODERS, decoderVersions } from './decoders.js';
export type { IngestOptions } from './ingest-options.js';
export * from './ingest.module.js';
export { timePolicyOf } from './known-devices.js';
export * from './replay.js';
