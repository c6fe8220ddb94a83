export * from './flags.js';
export * from './gross-range.js';
export * from './limits-schema.js';
export * from './limits.js';
