const script = import.meta.url;

/** Where the page is, with a slash at its end: `/`, or `/pantau/`. Built scripts are in `assets/` below it. */
export const base = new URL(import.meta.env.DEV ? '../../' : '../', script).pathname;

/** The address of a place of the page. @param path - begins with a slash */
export function href(path: string): string {
  return base + path.slice(1);
}
