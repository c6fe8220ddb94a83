export * from './spans.js';
export * from './timeline.js';
