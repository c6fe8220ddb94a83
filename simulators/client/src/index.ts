export * from './mqtt-device.js';
