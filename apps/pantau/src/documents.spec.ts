import { ERROR_CODES, parseDuration } from '#libs/kernel';
import { configSchema, ENVIRONMENT_VARIABLES } from '#libs/platform';
import { REJECTION_REASONS } from '#libs/telemetry';
import type { Command } from 'commander';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keysOf } from './keys/keys.fixture.js';
import { program } from './program.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const below = (folder: string, isWanted: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    // The page names nothing of Pantau's: it is a client of the API, and a part of it is generated.
    .filter((name) => isWanted.test(name.slice(folder.length + 1)) && !name.startsWith('apps/web/'))
    .sort();

/** What people read. */
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', ...below('docs', /^(decisions\/)?[\w-]+[.]md$/)],
  ...below('devices/codecs', /^[\w-]+\/README[.]md$/),
].map((file) => [file, read(file)] as const);
const TESTS = ['apps', 'libs', 'devices', 'simulators', 'scripts'].flatMap((folder) =>
  below(folder, /spec[.](ts|mjs)$/),
);
const SOURCES = [...below('apps', /[.]ts$/), ...below('libs', /[.]ts$/)]
  // The client of the page is made from the document.
  .filter((file) => !/[.](spec|e2e-spec|fixture|contract)[.]ts$|^apps.web.client./.test(file))
  .map(read);

/** Code in a page: of its blocks each line, and what stands in the text between backquotes. */
function codeIn(page: string): string[] {
  const blocks = [...page.matchAll(/```\w*\n([^]*?)```/g)].flatMap(([, block = '']) =>
    block.replaceAll(/\\\n\s*/g, '').split('\n'),
  );
  const inline = [...page.replaceAll(/```[^]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline.map((code) => code.replaceAll('\n', ' '))];
}

/** The cells between backquotes in the first column of the tables of a page. */
function firstColumn(page: string, of = /^\| /): string[] {
  const rows = page.split('\n').filter((line) => of.test(line) && line.startsWith('| `'));
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** The keys in the tables of keys, with what stands there as their default. */
function documentedKeys(page: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const table of page.split('\n\n').filter((text) => /^\| Key +\| Default/.test(text)))
    for (const row of table.split('\n').slice(2)) {
      const [, key = '', text = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      if (key !== '') keys.set(key.replace('{stream}', '{}'), text);
    }
  return keys;
}

/** What a default in the page means. */
function defaultOf(text: string): unknown {
  if (text === 'forever') return Infinity;
  if (text === 'none' || text === '[]') return [];
  if (/^\d+$/.test(text)) return Number(text);
  if (text.endsWith(' MiB')) return Number(text.slice(0, -4)) * 1_048_576;
  return parseDuration(text) ?? text;
}

describe('docs/configuration.md', () => {
  const page = read('docs/configuration.md');
  const documented = documentedKeys(page);

  it('explains every key, and no other', () => {
    expect([...documented.keys()].sort()).toEqual(keysOf(configSchema).sort());
  });

  it('explains every environment variable, and no other', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `PANTAU_'));
    const documentedVariables = rows.flatMap((row) => {
      const [, names = [], keys = []] = row.split('|').map((cell) => cell.match(/(?<=`)[\w.]+(?=`)/g) ?? []);
      return names.map((name, i) => [name, keys[i]] as const);
    });
    expect(Object.fromEntries(documentedVariables)).toEqual(ENVIRONMENT_VARIABLES);
  });

  it('says the default of every key that has one', () => {
    // Sections that are not there by default, each with what it needs.
    const standard = configSchema.parse({
      mqtt: {
        ...{ tls: {}, ws: {}, wss: {}, certificate: { key: 'k', cert: 'c' } },
        bridge: { url: 'mqtt://x' },
      },
      ...{ archive: {}, journal: { retention: { uplink: {} } } },
      store: { engine: 'influxdb', version: 2, url: 'http://x' },
      http: { publicUrl: 'https://x' },
      accounts: { openIdConnect: { issuer: 'https://x', clientId: 'c', clientSecret: 's', roles: {} } },
    });
    // What these are by default follows from something else.
    const others = ['httpIntake.host', 'httpIntake.port', 'journal.minFree', 'memory'];
    // And these are needed.
    others.push('mqtt.certificate.key', 'mqtt.certificate.cert', 'mqtt.bridge.url', 'store.engine');
    others.push(
      'http.publicUrl',
      ...['issuer', 'clientId', 'clientSecret'].map((key) => `accounts.openIdConnect.${key}`),
    );
    others.push('store.version', 'store.url', 'mappings[].pattern', 'mappings[].codec');
    for (const [key, text] of documented) {
      if (others.includes(key)) continue;
      const value = key
        .replace('{}', 'uplink')
        .split('.')
        .reduce<unknown>(
          (section, name) => (section as Record<string, unknown> | undefined)?.[name],
          standard,
        );
      expect([key, /^–?$/.test(text) ? undefined : defaultOf(text)]).toEqual([key, value]);
    }
    expect(documented.get('store.engine')).toBe(configSchema.parse({}).store.engine);
  });
});

describe('the documents', () => {
  it('explain every error code, and no other', () => {
    expect(firstColumn(read('docs/error-codes.md')).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('explain every reason for a rejection, and no other', () => {
    expect(firstColumn(read('docs/rejections.md')).sort()).toEqual(
      expect.arrayContaining([...REJECTION_REASONS].sort()),
    );
  });

  it('explain every metric with its labels, and no other', () => {
    const counted = SOURCES.flatMap((text) =>
      [...text.matchAll(/name: '(pantau_\w+)',([^}]*)\}/g)].map(([, name, more = '']) => {
        const [, labels = ''] = /labels: \[([^\]]*)\]/.exec(more) ?? [];
        return [name, ...(labels.match(/\w+/g) ?? [])].join(' ');
      }),
    );
    const rows = read('docs/metrics.md')
      .split('\n')
      .filter((line) => line.startsWith('| `pantau_'))
      .map((line) => (line.split('|').slice(1, 3).join(' ').match(/\w+/g) ?? []).join(' '));
    expect(rows.sort()).toEqual(counted.sort());
    const names = new Set(rows.map((row) => row.split(' ')[0]));
    const named = PAGES.flatMap(([, page]) => page.match(/\bpantau_[a-z0-9_]+\b/g) ?? []);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });

  it('say of the session of every maker whether it was recorded from a device', () => {
    const sessions = below('devices/codecs', /^[\w-]+\/session[.]txt$/);
    expect(sessions.length).toBeGreaterThan(10);
    const origins = sessions.map((file) => [file, /^# origin: (.*)$/m.exec(read(file))?.[1]]);
    const isSaid = /^(?:recorded from .+|composed, not recorded from a device: .+)/;
    expect(origins.filter(([, origin = '']) => !isSaid.test(origin))).toEqual([]);
  });

  it.each(PAGES)('name scripts, files and links that exist: %s', (file, page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const missing: string[] = [];
    for (const [, name = ''] of page.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g))
      if (!Object.hasOwn(scripts, name)) missing.push(`npm run ${name}`);
    for (const [, tests = ''] of page.matchAll(/npm test -- ([\w/.-]+)/g))
      if (!TESTS.some((test) => test.includes(tests))) missing.push(`npm test -- ${tests}`);
    for (const [, link = ''] of page.matchAll(/\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)/g))
      if (!existsSync(join(ROOT, dirname(file), link))) missing.push(link);
    // A recipe makes new files.
    const paths = file === 'CONTRIBUTING.md' ? [] : codeIn(page);
    for (const path of paths)
      if (/^(apps|libs|docs|config|scripts|simulators|devices\/codecs)\/[\w./-]+$/.test(path))
        if (!existsSync(join(ROOT, path))) missing.push(path);
    expect(missing).toEqual([]);
  });

  const routes = SOURCES.flatMap((text) => {
    const [, base] = /@Controller\('([^']+)'\)/.exec(text) ?? [];
    const own = [...text.matchAll(/@(?:Get|Put|Post|Delete)\((?:'([^']*)')?\)/g)];
    const ofControllers = base === undefined ? [] : own.map(([, path = '']) => `/${base}/${path}`);
    const ofServers = [...text.matchAll(/'(\/api\/v1\/[\w/:-]+)'/g)].map(([, path]) => path!);
    return [...ofControllers, ...ofServers].map((path) => path.replace(/\/$/, '').split('/'));
  });

  it.each(PAGES)('name routes of the API that exist: %s', (_file, page) => {
    const isRoute = (path: string): boolean => {
      const parts = path.split('/');
      // `…` stands for some parts.
      if (path.includes('…'))
        return routes.some((route) => route.join('/').startsWith(path.slice(0, path.indexOf('…') - 1)));
      return routes.some(
        (route) =>
          route.length === parts.length &&
          route.every((part, i) => part.startsWith(':') || part === parts[i] || parts[i]?.startsWith('{')),
      );
    };
    const named = [...page.matchAll(/\/api\/v1(\/[\w{}…./-]*[\w}…])/g)].map(([path]) => path);
    expect(named.filter((path) => !isRoute(path))).toEqual([]);
  });

  it.each(PAGES)('name commands and options that exist: %s', (_file, page) => {
    const wrong: string[] = [];
    for (const code of codeIn(page)) {
      const [, words] = /\bpantau (?:-- )?([a-z][a-z-]*\b.*)$/.exec(code) ?? [];
      if (words === undefined) continue;
      const said = words.replace(/ +(?:[|>#]|&&).*/, '').split(/\s+/);
      let command: Command = program;
      const names: string[] = [];
      for (const word of said) {
        const next = command.commands.find((one) => one.name() === word);
        if (next === undefined) break;
        command = next;
        names.push(word);
      }
      const [following = ''] = said.slice(names.length);
      if (names.length === 0 || (command.commands.length > 0 && /^[a-z-]+$/.test(following)))
        wrong.push(code);
      const options = [...command.options, ...program.options].map(({ long }) => long);
      for (const option of said.filter((word) => word.startsWith('--') && word !== '--help'))
        if (!options.includes(option.split('=')[0])) wrong.push(`${names.join(' ')} ${option}`);
    }
    expect(wrong).toEqual([]);
  });
});
