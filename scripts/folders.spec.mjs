import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A folder with more says nothing of what is in it: its files belong in rooms with names. */
const MOST_FILES = 15;
/** Folders that may hold more, each with the reason. */
const EXCEPTIONS = new Map();
const MOST_LINES = 400;

const sources = ['apps', 'devices', 'libs', 'scripts', 'simulators'].flatMap((root) =>
  readdirSync(root, { recursive: true })
    .filter((path) => /[.](ts|mjs)$/.test(path))
    .map((path) => join(root, path)),
);

/** Folders with too many sources, without those beside a source: its specs, contracts and fixtures. */
function crowded(paths) {
  const counts = new Map();
  for (const path of paths)
    if (!/[.](spec|e2e-spec|contract|fixture)[.]/.test(path))
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return Array.from(counts)
    .filter(([folder, count]) => count > MOST_FILES && !EXCEPTIONS.has(folder))
    .map(([folder, count]) => `${folder} holds ${count} sources, ${MOST_FILES} at most`);
}

describe('the folders', () => {
  it(`hold at most ${MOST_FILES} sources each`, () => {
    expect(sources.length).toBeGreaterThan(MOST_FILES);
    expect(crowded(sources)).toEqual([]);
  });

  it('are seen when they hold more', () => {
    const planted = (count) => Array.from({ length: count }, (_, i) => `libs/x/src/${i}.ts`);
    expect(crowded(planted(MOST_FILES + 1))).toEqual(['libs/x/src holds 16 sources, 15 at most']);
    const beside = ['libs/x/src/1.spec.ts', 'libs/x/src/x.contract.ts', 'libs/x/src/room/1.ts'];
    expect(crowded([...planted(MOST_FILES), ...beside])).toEqual([]);
  });

  it.each(sources.filter((path) => path.endsWith('.mjs')))('%s is no longer than others', (path) => {
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES);
  });
});

describe('what documents say of sources', () => {
  const documents = [
    'README.md',
    ...readdirSync('docs', { recursive: true }).map((path) => join('docs', path)),
  ];
  const named = documents
    .filter((path) => path.endsWith('.md'))
    .flatMap((document) =>
      Array.from(
        readFileSync(document, 'utf8').matchAll(
          /\b(?:apps|devices|libs|scripts|simulators)\/[\w./-]*[.](?:ts|mjs)\b/g,
        ),
        ([path]) => [document, path],
      ),
    );

  it.each(named)('%s: %s is there', (_document, path) => {
    expect(existsSync(path)).toBe(true);
  });
});
