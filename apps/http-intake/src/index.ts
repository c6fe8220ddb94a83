export type { CsvReport } from './csv/csv-report.js';
export * from './http-intake.module.js';
export type { HttpIntakeListener, HttpIntakeOptions } from './options.js';
