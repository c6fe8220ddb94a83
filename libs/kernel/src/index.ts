export * from './canonical-json.js';
export * from './defined.js';
export * from './errors.js';
export * from './hash.js';
export * from './local-day.js';
export * from './random.js';
export * from './time.js';
export * from './token-bucket.js';
