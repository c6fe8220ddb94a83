export * from './ispu.js';
