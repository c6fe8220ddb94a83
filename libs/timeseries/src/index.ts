export * from './time-series-store.js';
