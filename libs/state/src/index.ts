export type { AgeBound, Bound } from './bound.js';
export * from './change-row.js';
export { defineNamespace } from './namespace.js';
export type { Namespace, NamespaceDefinition, SeenRow, Shape, StateOwner, StateWrite } from './namespace.js';
export { namespacesTable } from './namespaces-table.js';
export * from './state-store.js';
export { agedRows, type AgedRows } from './trim.js';
