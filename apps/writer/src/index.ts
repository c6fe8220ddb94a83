export * from './tiers.module.js';
export * from './writer.module.js';
