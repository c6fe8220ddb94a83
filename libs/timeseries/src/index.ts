export * from './archive.js';
export * from './points.js';
export * from './retention.js';
export * from './time-series-store.js';
