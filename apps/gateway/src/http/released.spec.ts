import 'reflect-metadata';
import type { OpenAPIObject } from '@nestjs/swagger';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeApi } from '../describe-api.js';
import { brokenPromises } from './document-facts.fixture.js';

const ROOT = join(import.meta.dirname, '../../../..');
const document = await describeApi();
const released = JSON.parse(
  readFileSync(join(ROOT, 'docs/api/openapi-released.json'), 'utf8'),
) as OpenAPIObject;

const REMEDY =
  'Say so in CHANGELOG.md ("API version N") and raise the version (http/document.ts); at the release: npm run api:release.';

/** Of a document: the same with a change. */
function changed(change: (copy: never) => void): OpenAPIObject {
  const copy = structuredClone(document);
  change(copy as never);
  return copy;
}

interface Changed {
  paths: Record<
    string,
    Record<string, { parameters: object[]; responses: Record<string, { content: Record<string, object> }> }>
  >;
  components: {
    schemas: Record<string, { properties: Record<string, object>; required: string[]; enum: unknown[] }>;
  };
}

describe('the document of the API beside the released one', () => {
  it('keeps what was promised, or has a new version that the changelog names', () => {
    const broken = brokenPromises(released, document);
    const { version } = document.info;
    const isNamed =
      version !== released.info.version &&
      readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`API version ${version}`);
    expect(isNamed ? [] : broken.map((fact) => `${fact}. ${REMEDY}`)).toEqual([]);
  });

  it.each([
    ['a route', ({ paths }: Changed) => delete paths['/api/v1/sites']!['get'], 'GET /api/v1/sites is there'],
    [
      'a member of an answer',
      ({ components }: Changed) => delete components.schemas['Reading']!.properties['flag'],
      '.items[].flag is there',
    ],
    [
      'that a member is always there',
      ({ components }: Changed) => components.schemas['Reading']!.required.shift(),
      '.items[].site is always there',
    ],
    [
      'the type of a member',
      ({ components }: Changed) => (components.schemas['Reading']!.properties['value'] = { type: 'string' }),
      '.items[].value may be number',
    ],
    [
      'a value',
      ({ components }: Changed) => components.schemas['Parameter']!.enum.shift(),
      '.items[].parameter may be "pm25"',
    ],
    [
      'a parameter',
      ({ paths }: Changed) => paths['/api/v1/readings']!['get']!.parameters.shift(),
      'GET /api/v1/readings query site is there',
    ],
  ])('misses %s that is taken away', (_what, change, fact) => {
    expect(brokenPromises(document, changed(change as never)).join('\n')).toContain(fact);
  });

  it('misses that something is asked for which was not', () => {
    const demanding = changed(({ paths }: Changed) =>
      paths['/api/v1/sites']!['get']!.parameters.push({ name: 'x', in: 'query', required: true }),
    );
    expect(brokenPromises(document, demanding)).toEqual([
      'asked for now: GET /api/v1/sites query x is always there',
    ]);
  });

  it('lets additions be', () => {
    const more = changed(({ paths, components }: Changed) => {
      paths['/api/v1/new'] = paths['/api/v1/sites']!;
      components.schemas['Reading']!.properties['more'] = { type: 'string' };
      components.schemas['Reading']!.required.push('more');
      paths['/api/v1/readings']!['get']!.parameters.push({ name: 'more', in: 'query' });
    });
    expect(brokenPromises(document, more)).toEqual([]);
  });
});
