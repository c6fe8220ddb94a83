export * from './archive.js';
export * from './duckdb-store.js';
export * from './influx-store.js';
export * from './retention.js';
export * from './time-series-store.js';
