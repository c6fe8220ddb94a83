/** What keeps state: the stages, the programs around them, and the libraries that keep something of their own. */
export type StateOwner =
  | 'broker'
  | 'ingest'
  | 'writer'
  | 'alerts'
  | 'evidence'
  | 'gateway'
  | 'identity'
  | 'engine-lmdb'
  | 'timeseries'
  | 'journal-transport'
  | 'pantau';

/** Declares a part of the state. A row of the table in `docs/architecture.md`, which is generated from it. */
export interface NamespaceDefinition {
  /** What is stored bears it: it is never changed. */
  readonly name: string;
  /** Who writes it, and alone reads its rows. */
  readonly owner: StateOwner;
  /** What its keys are, for people. */
  readonly key: string;
  /** Name of the type of its values, for people. */
  readonly value: string;
  readonly description: string;
  /** The query that the owner's library exports, and the apps that ask it. Without one the namespace is private. */
  readonly published?: { readonly query: string; readonly readers: readonly StateOwner[] };
}

/**
 * One namespace of the state store. Its owner declares it in a file `namespaces.ts`; who reads or writes takes name and type
 * of the values from it, so that a wrong one does not compile.
 */
export class Namespace<in out T> {
  readonly name: string;

  constructor(readonly definition: NamespaceDefinition) {
    this.name = definition.name;
  }

  /** @param value - plain data (no class instances) */
  put(key: string, value: T): StateWrite {
    return { namespace: this.name, key, value };
  }

  remove(key: string): StateWrite {
    return { namespace: this.name, key, value: undefined };
  }
}

/** Only in a file `namespaces.ts` of the owner; lint holds it. */
export function defineNamespace<T>(definition: NamespaceDefinition): Namespace<T> {
  return new Namespace<T>(definition);
}

/** One change of a key: a value to put, or undefined to delete it. {@link Namespace} makes them, which checks the type. */
export interface StateWrite {
  readonly namespace: string;
  readonly key: string;
  readonly value: unknown;
}
