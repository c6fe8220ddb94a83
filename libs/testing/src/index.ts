export * from './certificates.js';
export * from './influxd.js';
export * from './mosquitto.js';
export * from './mute-lmdb.js';
export * from './repetitions.js';
export * from './services.js';
export * from './small-filesystem.js';
export * from './namespace-of.js';
