export * from './alert-event.js';
export * from './operators.js';
export * from './rule.js';
export * from './threshold.js';
