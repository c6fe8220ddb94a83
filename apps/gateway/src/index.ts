export type { GatewayDependencies } from './api.controller.js';
export type { ReplayOfBytes } from './bytes-comparison.js';
export * from './full-check.js';
export * from './full-check-job.js';
export { deviceNotices } from './device-notices.js';
export * from './gateway.js';
export type { CsvReport } from './csv-report.js';
export { reconcile, type Reconciliation } from './reconciliation.js';
export { HealthController } from './health.controller.js';
