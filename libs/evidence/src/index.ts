export * from './evidence-reader.js';
