export type { GatewayDependencies } from './api.controller.js';
export * from './gateway.js';
