import { permissionsOf, ROLES } from '#libs/identity';
import { temporaryFolder } from '#libs/testing';
import { join } from 'node:path';
import {
  checkClient,
  doTasks,
  faultsOf,
  generateClient,
  openTypes,
  withAnswer,
  withBrokenRef,
  type OpenApiDocument,
} from './openapi.fixture.js';
import { PantauFixture } from './pantau.fixture.js';
import { compileSecondClient, generateSecondClient, openMembers } from './second-client.fixture.js';

/** One for all: they ask the same, each with its own client. */
let pantau: PantauFixture;
let document: OpenApiDocument;
let tokens: Record<string, string>;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
  document = (await (await fetch(`${pantau.api}/docs-json`)).json()) as OpenApiDocument;
  const device = await pantau.connect('udara-01');
  const ts = new Date().toISOString();
  for (const payload of [JSON.stringify({ ts, values: { pm25: 12.5 } }), 'no reading'])
    await device.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
  await pantau.caughtUp();
  tokens = {};
  for (const role of ROLES)
    tokens[role] = await pantau.engines.tokens.create(`task-${role}`, permissionsOf(role, 'token'));
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

/** What came of the task of each role, done with what was generated. */
async function tasksDone(folder: string): Promise<unknown> {
  const { code, output } = await doTasks(folder, new URL(pantau.api).origin, tokens);
  expect({ code, output }).toMatchObject({ code: 0 });
  return JSON.parse(output);
}

describe('the OpenAPI document', () => {
  it('is valid, and a standard generator makes a client of it whose types hold', async () => {
    using folder = temporaryFolder('openapi');
    const broken = withBrokenRef(document, '/api/v1/devices/{device}/commands');
    expect(await faultsOf(document)).toBeUndefined();
    expect(String(await faultsOf(broken))).toContain('__schema0');

    const [right, wrong] = [join(folder.path, 'right'), join(folder.path, 'wrong')];
    expect(await generateClient(right, document)).toMatchObject({ code: 0 });
    expect(await checkClient(right)).toEqual({ code: 0, output: '' });
    expect(openTypes(right)).toEqual([]);
    expect(await tasksDone(right)).toEqual({
      viewer: ['silent', 12.5, 403],
      operator: ['string', 202],
      evaluator: ['not_json', 'no reading'],
      administrator: ['Sembawa', 60_000, 'PUT /api/v1/devices/{device}'],
    });
    const refused = await generateClient(wrong, broken);
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('__schema0')]);
  });

  it('makes a second generator give a client with which every role does its task', async () => {
    using folder = temporaryFolder('openapi-second');
    const right = join(folder.path, 'right');
    expect(await generateSecondClient(right, document)).toMatchObject({ code: 0 });
    expect(openMembers(right)).toEqual([]);
    expect(await compileSecondClient(right)).toEqual({ code: 0, output: '' });
    expect(await tasksDone(right)).toEqual({
      viewer: ['silent', 12.5, 403],
      operator: ['string'],
      evaluator: ['not_json', 'no reading'],
      administrator: ['Sembawa', 'PUT /api/v1/sites/{site}'],
    });
  });

  it('is found out by it with a reference to nothing, an answer without a type, or one of another type', async () => {
    using folder = temporaryFolder('openapi-broken');
    const [lost, open, other] = ['lost', 'open', 'other'].map((name) => join(folder.path, name)) as [
      ...[string, string, string],
    ];
    const refused = await generateSecondClient(
      lost,
      withBrokenRef(document, '/api/v1/devices/{device}/commands'),
    );
    expect([refused.code === 0, refused.output]).toEqual([false, expect.stringContaining('__schema0')]);

    expect(await generateSecondClient(open, withAnswer(document, '/api/v1/rules', {}))).toMatchObject({
      code: 0,
    });
    expect(openMembers(open)).toEqual([expect.stringMatching(/any|unknown/)]);

    const items = { type: 'array', items: { type: 'object', properties: { value: { type: 'string' } } } };
    const changed = withAnswer(document, '/api/v1/readings', { type: 'object', properties: { items } });
    expect(await generateSecondClient(other, changed)).toMatchObject({ code: 0 });
    const { code, output } = await compileSecondClient(other);
    expect([code === 0, output]).toEqual([false, expect.stringContaining("not assignable to type 'number'")]);
  });
});
