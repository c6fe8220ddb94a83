export { defineNamespace } from './namespace.js';
export type { Namespace, NamespaceDefinition, Shape, StateOwner, StateWrite } from './namespace.js';
export { namespacesTable } from './namespaces-table.js';
export * from './state-store.js';
