export * from './codec.js';
export * from './json.js';
export * from './json-schemas.js';
export * from './native-codec.js';
export * from './parameters.js';
export * from './payloads.js';
export * from './streams.js';
export * from './topics.js';
