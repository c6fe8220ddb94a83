export * from './accounts.js';
export * from './administration.js';
export * from './device-credentials.js';
export * from './device-tokens.js';
export * from './provisioning-keys.js';
export * from './registry.js';
export * from './settings.js';
export * from './tokens.js';
