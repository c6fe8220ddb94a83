export * from './influxd.js';
export * from './services.js';
