export * from './current-index.js';
export * from './humidity-correction.js';
export * from './ispu.js';
export * from './nowcast.js';
export * from './units.js';
