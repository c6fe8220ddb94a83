import type { Bound } from './bound.js';

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

/** A predicate, or a schema of zod. What older versions stored must pass too. */
export type Shape = ((value: unknown) => boolean) | ValueSchema;

export interface ValueSchema {
  safeParse(value: unknown): {
    readonly error?:
      | { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
      | undefined;
  };
}

/** Declares a part of the state. A row of the table in `docs/architecture.md`, which is generated from it. */
export interface NamespaceDefinition<T = unknown> {
  /** What is stored bears it: it is never changed. */
  readonly name: string;
  /** Who writes it, and alone reads its rows. */
  readonly owner: StateOwner;
  /** What its keys are, for people. */
  readonly key: string;
  /** Name of the type of its values, for people. */
  readonly value: string;
  readonly description: string;
  /** What keeps its rows from becoming ever more. */
  readonly bound: Bound<T>;
  /** What its readers take for granted of a value: one that fails counts as unreadable. */
  readonly shape: Shape;
  /** What holds in the place of a value that cannot be read, where none would open what must stay shut; else none does. */
  readonly unreadable?: T;
  /** The query that the owner's library exports, and the apps that ask it. Without one the namespace is private. */
  readonly published?: { readonly query: string; readonly readers: readonly StateOwner[] };
}

/**
 * One namespace of the state store. Its owner declares it in a file `namespaces.ts`; who reads or writes takes name and type
 * of the values from it, so that a wrong one does not compile.
 */
export class Namespace<in out T> {
  readonly name: string;

  constructor(readonly definition: NamespaceDefinition<T>) {
    this.name = definition.name;
  }

  /** Why a stored value is none of these; undefined when it is one. */
  shapeFault(value: unknown): string | undefined {
    const { shape, value: type } = this.definition;
    if (typeof shape === 'function') return shape(value) ? undefined : `it is no ${type}`;
    const issue = shape.safeParse(value).error?.issues[0];
    if (issue === undefined) return undefined;
    return `it is no ${type}: ${['value', ...issue.path.map(String)].join('.')}: ${issue.message}`;
  }

  /** @param value - plain data (no class instances) */
  put(key: string, value: T): StateWrite {
    return { namespace: this.name, key, value };
  }

  remove(key: string): StateWrite {
    return { namespace: this.name, key, value: undefined };
  }

  /** What {@link StateStore.writeIf} compares with. @param value - as it was read; undefined where the key had none */
  seen(key: string, value: T | undefined): SeenRow {
    return { namespace: this as unknown as Namespace<unknown>, key, value };
  }
}

/** Only in a file `namespaces.ts` of the owner; lint holds it. */
export function defineNamespace<T>(definition: NamespaceDefinition<NoInfer<T>>): Namespace<T> {
  return new Namespace<T>(definition);
}

/** A row as somebody read it, who decides by it. {@link Namespace.seen} makes it. */
export interface SeenRow {
  readonly namespace: Namespace<unknown>;
  readonly key: string;
  readonly value: unknown;
}

/** One change of a key: a value to put, or undefined to delete it. {@link Namespace} makes them, which checks the type. */
export interface StateWrite {
  readonly namespace: string;
  readonly key: string;
  readonly value: unknown;
}
