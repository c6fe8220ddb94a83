export * from './catalogue.js';
export * from './daily-rollup.js';
export * from './hourly-rollup.js';
export * from './records.js';
export * from './intervals.js';
