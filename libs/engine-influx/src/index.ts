export * from './influx-store.js';
