export * from './spans.js';
export * from './timeline.js';
export * from './presence.js';
export * from './connection-spans.js';
