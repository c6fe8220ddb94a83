export * from './device-credentials.js';
export * from './registry.js';
export * from './tokens.js';
