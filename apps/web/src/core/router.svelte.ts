import { base, href } from './base';

/** The place that the address bar names. Links are plain `<a href={href('/x')}>`; this follows those that stay within the page. */
class Router {
  #url = $state.raw(new URL(location.href));

  /** Below the base, with a slash at its beginning. */
  get path(): string {
    const { pathname } = this.#url;
    return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
  }

  /** What a link keeps besides its place: filters, times. */
  get query(): URLSearchParams {
    return this.#url.searchParams;
  }

  get hash(): string {
    return this.#url.hash.slice(1);
  }

  go(path: string, { replace = false } = {}): void {
    const url = new URL(href(path), location.href);
    // An effect that names where it is already must not begin again because of that.
    if (url.href === location.href) return;
    if (replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.#url = url;
  }

  /** Changes members of the query, so that a link to what is seen can be sent to somebody. Undefined takes a member out. */
  setQuery(changes: Readonly<Record<string, string | undefined>>): void {
    // From the address itself: whoever changes the query in an effect does not depend on it by that.
    const here = new URL(location.href);
    const query = here.searchParams;
    for (const [name, value] of Object.entries(changes))
      if (value === undefined || value === '') query.delete(name);
      else query.set(name, value);
    if (here.href === location.href) return;
    history.replaceState(null, '', here);
    this.#url = here;
  }

  /** Follows the browser and clicks on links. */
  start(): () => void {
    const moved = (): void => void (this.#url = new URL(location.href));
    const clicked = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest('a') : null;
      if (link === null || event.defaultPrevented || event.button !== 0) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const address = link.getAttribute('href') ?? (link as unknown as SVGAElement).href.baseVal;
      if (
        typeof address !== 'string' ||
        link.hasAttribute('download') ||
        link.getAttribute('target') !== null
      )
        return;
      const url = new URL(address, location.href);
      // The API has pages of its own; a place within the page is the browser's.
      if (url.origin !== location.origin || !url.pathname.startsWith(base)) return;
      if (url.pathname.startsWith(`${base}api/`) || address.startsWith('#')) return;
      event.preventDefault();
      if (url.href !== location.href) history.pushState(null, '', url);
      this.#url = url;
    };
    addEventListener('popstate', moved);
    addEventListener('hashchange', moved);
    addEventListener('click', clicked);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener('hashchange', moved);
      removeEventListener('click', clicked);
    };
  }
}

export const router = new Router();
