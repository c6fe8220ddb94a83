import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const files = ['apps', 'libs']
  .flatMap((root) => readdirSync(root).map((name) => join(root, name, 'src/namespaces.ts')))
  .filter((file) => existsSync(file));
const modules = [];
for (const file of files) modules.push({ file, declared: Object.values(await import(resolve(file))) });
const { namespacesTable } = await import(resolve('libs/state/src/namespaces-table.ts'));
const { STREAM_NAMES } = await import(resolve('libs/streams/src/index.ts'));
const declared = modules.flatMap(({ file, declared }) =>
  declared.map(({ definition }) => ({ file, ...definition })),
);

const sources = readdirSync('apps', { recursive: true })
  .filter((path) => path.endsWith('.ts') && !/[.](spec|e2e-spec|fixture)[.]ts$/.test(path))
  .map((path) => join('apps', path));

/** Prettier pads the cells of a table; what they say is the same. */
const cells = (table) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

describe('the namespaces of the state', () => {
  it('have a name of their own each', () => {
    const names = declared.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(declared)('$name stands in the room of its owner', ({ file, owner, value }) => {
    expect([`apps/${owner}`, `libs/${owner}`, `libs/${owner}-state`]).toContain(
      file.replace('/src/namespaces.ts', ''),
    );
    expect(readFileSync(file, 'utf8')).toContain(`defineNamespace<${value}>(`);
  });

  it.each(modules.flatMap(({ declared }) => declared))(
    '$name has a shape, which no row of another kind has',
    (namespace) => {
      expect(namespace.definition.shape).toBeDefined();
      for (const wrong of [null, Symbol('none'), () => 1, Number.NaN])
        expect([wrong, namespace.shapeFault(wrong)]).toEqual([wrong, expect.stringMatching(/^it is no /)]);
      const others = [7, 'text', true, ['a', null], { other: 1 }];
      expect(others.filter((value) => namespace.shapeFault(value) === undefined).length).toBeLessThan(2);
    },
  );

  it.each(declared)('$name says in a few words what keeps its rows from becoming ever more', ({ bound }) => {
    const [[kind, said], ...more] = Object.entries(bound);
    if (kind === 'stream') expect(STREAM_NAMES).toContain(said);
    else expect([['rowsFor', 'until', 'forever'].includes(kind), more]).toEqual([true, []]);
    expect(said.length).toBeGreaterThan(5);
  });

  it('are trimmed by the stage of their owner, those whose rows go by their age', async () => {
    const trimmed = [];
    for (const file of readdirSync('apps').map((app) => join('apps', app, 'src/stage.ts')))
      if (existsSync(file))
        for (const stage of Object.values(await import(resolve(file))))
          for (const { name, stream } of (await stage.trims?.()) ?? [])
            trimmed.push({ owner: file.split('/')[1], name, stream });
    const aged = declared.filter(({ bound }) => 'stream' in bound);
    expect(aged.length).toBeGreaterThan(0);
    const byName = (a, b) => (a.name < b.name ? -1 : 1);
    expect(trimmed.toSorted(byName)).toEqual(
      aged.map(({ owner, name, bound }) => ({ owner, name, stream: bound.stream })).toSorted(byName),
    );
  });

  it.each(declared.filter(({ published }) => published !== undefined))(
    '$name is asked for by those alone that its declaration names',
    ({ file, published }) => {
      const library = file.replace('/src/namespaces.ts', '');
      expect(library).toMatch(/^libs\//);
      const asks = new RegExp(`import [^;]*\\b${published.query}\\b[^;]*from '#${library}'`);
      const readers = sources
        .filter((path) => asks.test(readFileSync(path, 'utf8')))
        .map((path) => path.split('/')[1]);
      // apps/pantau puts every query together.
      const named = [...published.readers, 'pantau'];
      expect(new Set(named)).toEqual(new Set([...readers, 'pantau']));
    },
  );

  it('are the table in docs/architecture.md (npm run docs:schema writes it)', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    const [, written = ''] = /<!-- namespaces -->\n([^]*?)<!-- \/namespaces -->/.exec(text) ?? [];
    expect(cells(written)).toEqual(cells(namespacesTable(declared)));
  });
});
