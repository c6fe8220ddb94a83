export * from './buckets.js';
export * from './device-bucket.js';
export * from './down-sampling.js';
export * from './evidence-reader.js';
export * from './evidence-source.js';
export * from './journal-source.js';
export * from './neighbourhoods.js';
