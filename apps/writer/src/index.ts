export * from './writer.module.js';
