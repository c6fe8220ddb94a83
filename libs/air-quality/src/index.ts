export * from './ispu.js';
export * from './units.js';
