export * from './config.js';
export * from './logger.js';
export * from './make-folder.js';
export * from './yaml-file.js';
