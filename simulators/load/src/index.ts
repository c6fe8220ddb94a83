export * from './load.js';
export * from './packets.js';
