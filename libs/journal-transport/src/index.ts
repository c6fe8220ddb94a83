export * from './batch-context.js';
export * from './caught-up.js';
export * from './create-stage.js';
export * from './journal-client.js';
export * from './journal-server.js';
export * from './stage-state.js';
export * from './tally.js';
