export * from './batch-context.js';
export * from './create-stage.js';
export * from './forget-days.js';
export * from './from-stream.js';
export * from './journal-server.js';
export * from './stage.js';
export * from './stage-state.js';
export * from './tally.js';
