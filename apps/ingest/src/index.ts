export { decoderChanges, DECODERS, decoderVersions } from './decoding/decoders.js';
export type { IngestOptions } from './ingest-options.js';
export * from './ingest.module.js';
export { timePolicyOf } from './devices/known-devices.js';
export * from './replay.js';
