export * from './latencies.js';
export * from './load.js';
export * from './packets.js';
