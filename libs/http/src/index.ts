export * from './checked.js';
export * from './client-errors.js';
export * from './close-in-time.js';
export * from './known-paths.js';
export * from './language.js';
export * from './port-in-use.js';
export * from './problem.js';
export * from './request-timeout.js';
