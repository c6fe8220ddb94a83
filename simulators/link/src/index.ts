export * from './link-proxy.js';
