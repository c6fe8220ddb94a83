export type { GatewayDependencies } from './dependencies.js';
export type { ReplayOfBytes } from './reconciliation/bytes-comparison.js';
export * from './reconciliation/full-check.js';
export * from './reconciliation/full-check-job.js';
export { deviceNotices } from './devices/device-notices.js';
export * from './gateway.js';
export { reconcile, type Reconciliation } from './reconciliation/reconciliation.js';
export { HealthController } from './health/health.controller.js';
export { stationSchema, stationsSchema, type Station } from './stations/stations-answer.js';
