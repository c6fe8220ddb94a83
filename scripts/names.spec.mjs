import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names that several files export, each with the reason why they mean the same or cannot be mistaken. */
const EXCEPTIONS = new Map([]);

const DECLARED =
  /^(export )?(?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
const FUNCTION = /^(?:export )?(?:async )?function\*? (\w+)([^]*?\n\}\n)/gm;
/** What is shorter says nothing of its own. */
const SHORTEST = 60;

/** A program of its own, for browsers: it shares no code and has a vocabulary of its own. */
const APART = 'apps/web/';

const sources = ['apps', 'libs'].flatMap((root) =>
  readdirSync(root, { recursive: true })
    .filter((path) => path.endsWith('.ts') && !/[.](spec|e2e-spec|contract|fixture|d)[.]ts$/.test(path))
    .map((path) => join(root, path))
    .filter((path) => !path.startsWith(APART))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') })),
);

/** @returns of each that several files have: what it is, and the files */
function shared(found) {
  const files = new Map();
  for (const [what, path] of found) files.set(what, new Set(files.get(what)).add(path));
  return Array.from(files, ([what, paths]) => [what, [...paths].sort()]).filter(
    ([, { length }]) => length > 1,
  );
}

/** Exported names that are declared more than once. */
function ambiguous(files) {
  const found = files.flatMap(({ path, text }) =>
    Array.from(text.matchAll(DECLARED))
      .filter(([, exported]) => exported !== undefined)
      .map(([, , name]) => [name, path]),
  );
  return shared(found)
    .filter(([name]) => !EXCEPTIONS.has(name))
    .map(([name, paths]) => `${name}: ${paths.join(', ')}`);
}

/** Functions of one text, whatever they are called. */
function repeated(files) {
  const found = files.flatMap(({ path, text }) =>
    Array.from(text.matchAll(FUNCTION), ([, name, rest]) => [
      rest.replaceAll(/\s+/g, ' '),
      `${path} ${name}`,
    ]),
  );
  return shared(found.filter(([{ length }]) => length >= SHORTEST)).map(([, places]) => places.join(', '));
}

describe('the names', () => {
  it('that are exported stand for one thing each', () => {
    expect(sources.length).toBeGreaterThan(300);
    expect(ambiguous(sources)).toEqual([]);
  });

  it('on the list of exceptions are exported more than once', () => {
    const files = new Map();
    for (const { path, text } of sources)
      for (const [, exported, name] of text.matchAll(DECLARED))
        if (exported !== undefined) files.set(name, new Set(files.get(name)).add(path));
    const gone = [...EXCEPTIONS.keys()].filter((name) => (files.get(name)?.size ?? 0) < 2);
    expect(gone).toEqual([]);
  });

  it('of helpers stand for one text each', () => {
    expect(repeated(sources)).toEqual([]);
  });

  it('are seen when they are there twice', () => {
    const text = (name) =>
      `export function ${name}(text: string): string {\n  return text.trim().toLowerCase().replaceAll(' ', '-');\n}\n`;
    const planted = [
      { path: 'libs/a/src/a.ts', text: text('slugOf') },
      { path: 'apps/b/src/b.ts', text: `export interface Slug {\n  a: 1;\n}\n${text('slugOf')}` },
      { path: 'apps/c/src/c.ts', text: `${text('idOf').replace('export ', '')}export type Slug = 1;\n` },
    ];
    expect(ambiguous(planted)).toEqual([
      'slugOf: apps/b/src/b.ts, libs/a/src/a.ts',
      'Slug: apps/b/src/b.ts, apps/c/src/c.ts',
    ]);
    expect(repeated(planted)).toEqual([
      'apps/b/src/b.ts slugOf, apps/c/src/c.ts idOf, libs/a/src/a.ts slugOf',
    ]);
  });
});
