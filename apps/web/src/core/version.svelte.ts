import { base } from './base';

/** Files that a document loads of itself. Their names hold a digest of their content: other names, another version. */
function filesOf(document: ParentNode): string {
  const loaded = document.querySelectorAll(
    'script[type=module][src], link[rel=stylesheet], link[rel=modulepreload]',
  );
  const addresses = [...loaded].map((one) => one.getAttribute('src') ?? one.getAttribute('href') ?? '');
  return [...new Set(addresses.map((address) => new URL(address, location.href).href))].sort().join('\n');
}

/** What this page was loaded with: pages that are opened later add their own. */
const own = filesOf(document);

/** Whether Pantau serves another version of the page than this one. */
class Version {
  #isNew = $state(false);

  get isNew(): boolean {
    return this.#isNew;
  }

  async look(): Promise<void> {
    const options = { headers: { accept: 'text/html' }, cache: 'no-cache' } as const;
    const response = await fetch(base, options).catch(() => undefined);
    if (response?.ok !== true) return;
    const served = new DOMParser().parseFromString(await response.text(), 'text/html');
    // What a proxy says in place of Pantau is no page of it.
    if (served.getElementById('app') !== null) this.#isNew = filesOf(served) !== own;
  }
}

export const version = new Version();
