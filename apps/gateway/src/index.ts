export type { GatewayDependencies } from './api.controller.js';
export * from './gateway.js';
export type { CsvReport } from './csv-report.js';
export { reconcile, type Reconciliation } from './reconciliation.js';
