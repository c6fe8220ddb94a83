import { defineNamespace, type Namespace } from '#libs/state';

/** A namespace as a test means it, by its stored name: of its own, or of somebody whose rows it plants or looks at. */
export function namespaceOf<T>(name: string): Namespace<T> {
  return defineNamespace<T>({
    name,
    owner: 'pantau',
    key: '',
    value: '',
    description: '',
    bound: { rowsFor: 'a test' },
    shape: () => true,
  });
}
