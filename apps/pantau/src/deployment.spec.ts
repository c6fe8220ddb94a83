import { ENVIRONMENT_VARIABLES } from '#libs/platform';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

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
    for (const name of Object.keys(pantau!.environment))
      expect(Object.keys(ENVIRONMENT_VARIABLES)).toContain(name);
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
      expect(Object.keys(ENVIRONMENT_VARIABLES)).toContain(name);
    const ports = parse(read('docker-compose.yml')) as Compose;
    const published = ports.services['pantau']!.ports!.map((port) => port.split(':').at(-1));
    expect(dockerfile).toContain(`EXPOSE ${published.join(' ')}`);
  });
});

describe('nest-cli.json', () => {
  it('lists every app and library', () => {
    const { projects } = JSON.parse(read('nest-cli.json')) as { projects: Record<string, { root: string }> };
    const folders = ['apps', 'libs']
      .flatMap((dir) => readdirSync(join(ROOT, dir)).map((name) => `${dir}/${name}`))
      // The page is no program of Nest.
      .filter((folder) => folder !== 'apps/web');
    expect(
      Object.values(projects)
        .map(({ root }) => root)
        .sort(),
    ).toEqual(folders.sort());
  });
});
