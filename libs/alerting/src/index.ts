export * from './alert-event.js';
export * from './at-once.js';
export * from './explanation.js';
export * from './rule-kind.js';
export * from './rules.js';
export { RULE_KINDS } from './kinds/index.js';
