export type { InfluxStoreOptions } from './influx-options.js';
export * from './influx-store.js';
