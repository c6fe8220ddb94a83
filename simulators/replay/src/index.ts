export * from './air-comparison.js';
export * from './anonymise.js';
export * from './messages.js';
export * from './plan.js';
export * from './player.js';
export * from './recording.js';
export * from './segment.js';
