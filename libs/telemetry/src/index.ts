export * from './json-schemas.js';
export * from './native-codec.js';
export * from './parameters.js';
export * from './payloads.js';
export * from './streams.js';
export * from './topic-filter.js';
export * from './topics.js';
