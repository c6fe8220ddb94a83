import { ENVIRONMENT_VARIABLES, configSchema } from '#libs/platform';
import { ERROR_CODES, parseDuration } from '#libs/kernel';
import { REJECTION_REASONS } from '#libs/telemetry';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { build?: string; environment: Record<string, string>; ports?: string[]; volumes: string[] }
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as Compose;
  const { pantau, influxdb } = compose.services;

  it('sets only variables that Pantau reads, and tells both containers the same', () => {
    for (const name of Object.keys(pantau!.environment)) expect(ENVIRONMENT_VARIABLES).toContain(name);
    expect(pantau!.environment['PANTAU_INFLUX_DATABASE']).toBe(
      influxdb!.environment['DOCKER_INFLUXDB_INIT_BUCKET'],
    );
    expect(pantau!.environment['PANTAU_INFLUX_ORG']).toBe(influxdb!.environment['DOCKER_INFLUXDB_INIT_ORG']);
    expect(pantau!.environment['PANTAU_INFLUX_TOKEN']).toBe(
      influxdb!.environment['DOCKER_INFLUXDB_INIT_ADMIN_TOKEN'],
    );
  });

  it('names volumes that it declares', () => {
    for (const { volumes } of Object.values(compose.services))
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0]!);
  });
});

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  it('copies only what exists', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
      files!.split(' '),
    );
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
  });

  it('starts the program that the build makes, on the ports and the folder of the defaults', () => {
    expect(dockerfile).toContain('"dist/apps/pantau/src/main.js", "start"');
    // Node's options as everywhere else where Pantau is started.
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scripts['start']).toContain('node --single-threaded-gc dist/');
    expect(scripts['pantau']).toContain('node --single-threaded-gc dist/');
    expect(dockerfile).toContain('CMD ["node", "--single-threaded-gc", "dist/');
    expect(read('apps/pantau/src/main.ts')).toMatch(/^#!.* node --single-threaded-gc\n/);
    expect(existsSync(join(ROOT, 'apps/pantau/src/main.ts'))).toBe(true);
    for (const [, name] of dockerfile.matchAll(/(PANTAU_\w+)=/g))
      expect(ENVIRONMENT_VARIABLES).toContain(name);
    const ports = parse(read('docker-compose.yml')) as Compose;
    const published = ports.services['pantau']!.ports!.map((port) => port.split(':').at(-1));
    expect(dockerfile).toContain(`EXPOSE ${published.join(' ')}`);
  });
});

describe('the documents', () => {
  it('explain every error code', () => {
    const page = read('docs/error-codes.md');
    for (const code of ERROR_CODES) expect(page).toContain(`\`${code}\``);
  });

  it('explain every reason for a rejection', () => {
    const page = read('docs/rejections.md');
    for (const reason of REJECTION_REASONS) expect(page).toContain(`\`${reason}\``);
  });

  it('explain every environment variable', () => {
    const page = read('docs/configuration.md');
    for (const name of ENVIRONMENT_VARIABLES) expect(page).toContain(`\`${name}\``);
  });

  it('explain every key of the configuration, with its default, and no other', () => {
    const documented = configurationTables(read('docs/configuration.md'));
    expect([...documented.keys()].sort()).toEqual(configurationKeys().sort());
    const standard = configSchema.parse({});
    for (const [key, text] of documented) {
      const value = key.split('.').reduce<unknown>((section, name) => at(section, name), standard);
      if (['string', 'number'].includes(typeof value)) expect([key, defaultOf(text)]).toEqual([key, value]);
    }
  });
});

describe('nest-cli.json', () => {
  it('lists every app and library', () => {
    const { projects } = JSON.parse(read('nest-cli.json')) as { projects: Record<string, { root: string }> };
    const folders = ['apps', 'libs'].flatMap((dir) =>
      readdirSync(join(ROOT, dir)).map((name) => `${dir}/${name}`),
    );
    expect(
      Object.values(projects)
        .map(({ root }) => root)
        .sort(),
    ).toEqual(folders.sort());
  });
});

interface KeySchema {
  readonly anyOf?: readonly KeySchema[];
  readonly oneOf?: readonly KeySchema[];
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly additionalProperties?: KeySchema | boolean;
  readonly items?: KeySchema;
}

/** Every key of `pantau.yaml`, as `a.b`, `a.{stream}.b` or `a[].b`. */
function configurationKeys(): string[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as KeySchema;
  const walk = (
    key: string,
    { anyOf, oneOf, properties, additionalProperties, items }: KeySchema,
  ): string[] => {
    const options = anyOf ?? oneOf;
    if (options !== undefined) return options.flatMap((option) => walk(key, option));
    if (properties !== undefined)
      return Object.entries(properties).flatMap(([name, member]) =>
        walk(key === '' ? name : `${key}.${name}`, member),
      );
    if (items?.properties !== undefined) return walk(`${key}[]`, items);
    if (typeof additionalProperties === 'object' && additionalProperties.properties !== undefined)
      return walk(`${key}.{stream}`, additionalProperties);
    return [key];
  };
  return [...new Set(walk('', schema))];
}

/** The keys in the tables of keys, with what stands there as their default. */
function configurationTables(page: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const table of page.split('\n\n').filter((text) => /^\| Key +\| Default/.test(text)))
    for (const row of table.split('\n').slice(2)) {
      const [, key = '', text = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      if (key !== '') keys.set(key, text);
    }
  return keys;
}

function at(section: unknown, name: string): unknown {
  return typeof section === 'object' && section !== null
    ? (section as Record<string, unknown>)[name]
    : undefined;
}

/** What a default in the page means. */
function defaultOf(text: string): unknown {
  if (text === 'forever') return Infinity;
  if (/^\d+$/.test(text)) return Number(text);
  if (text.endsWith(' MiB')) return Number(text.slice(0, -4)) * 1_048_576;
  return parseDuration(text) ?? text;
}
