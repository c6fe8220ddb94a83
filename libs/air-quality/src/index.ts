export * from './humidity-correction.js';
export * from './ispu.js';
export * from './nowcast.js';
export * from './units.js';
