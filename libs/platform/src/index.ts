export * from './byte-size.js';
export * from './config.js';
export * from './logger.js';
export * from './memory-bound.js';
export * from './make-folder.js';
export * from './yaml-file.js';
export type { StoreConfig } from './store-config.js';
