export * from './bridge/bridge.js';
export * from './broker.js';
export * from './broker-options.js';
export * from './broker.module.js';
export type { Limits } from './limits.js';
