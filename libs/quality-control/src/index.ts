export * from './flags.js';
export * from './gross-range.js';
