export * from './camera.js';
export * from './faults.js';
export * from './message.js';
export * from './sensor-model.js';
export * from './station.js';
