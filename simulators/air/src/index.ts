export * from './air.js';
export * from './climate.js';
export * from './plume.js';
export * from './processes.js';
export * from './weather.js';
