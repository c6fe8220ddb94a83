export * from './duckdb-store.js';
export * from './parquet.js';
