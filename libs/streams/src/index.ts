export * from './audit-entry.js';
export * from './catalogue.js';
export * from './definition.js';
export * from './settings-entry.js';
export * from './streams-table.js';
