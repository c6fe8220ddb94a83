export type { GatewayDependencies } from './api.controller.js';
export * from './gateway.js';
export { reconcile, type Reconciliation } from './reconciliation.js';
