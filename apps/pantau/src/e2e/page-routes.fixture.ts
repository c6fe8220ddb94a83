import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROUTES = join(import.meta.dirname, '..', '..', '..', 'web', 'src', 'routes.ts');

/** The paths of all pages, as their table has them, so that a new page is among them by itself. */
export function pagePaths(): string[] {
  const paths = [...readFileSync(ROUTES, 'utf8').matchAll(/^ {4}path: '([^']+)',$/gm)].map(
    ([, path = '']) => path,
  );
  if (paths.length < 20)
    throw new Error(`expected the table of pages in ${ROUTES}, found ${paths.join(', ')}`);
  return paths;
}

/**
 * The address of a page.
 *
 * @param examples - what stands for each `:name` of it
 * @throws Error for a name without an example: add one where the page is tested
 */
export function addressOf(path: string, examples: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_whole, name: string) => {
    const example = examples[name];
    if (example === undefined) throw new Error(`${path}: expected an example of ${name}`);
    return example;
  });
}
