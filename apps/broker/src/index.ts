export * from './broker.js';
export * from './broker.module.js';
