import { Validator } from '@seriousme/openapi-schema-validator';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const MODULES = join(import.meta.dirname, '../../../../node_modules');

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}
interface Content {
  content?: Record<string, { schema: object }>;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content>>;
}
export interface OpenApiDocument extends Record<string, unknown> {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The same with a `$ref` that leads nowhere, in the body of this route. */
export function withBrokenRef(document: OpenApiDocument, path: string): OpenApiDocument {
  const broken = structuredClone(document);
  broken.paths[path]!['post']!.requestBody!.content!['application/json']!.schema = {
    $ref: '#/$defs/__schema0',
  };
  return broken;
}

/** The same with another schema for what this route answers. */
export function withAnswer(document: OpenApiDocument, path: string, schema: object): OpenApiDocument {
  const broken = structuredClone(document);
  broken.paths[path]!['get']!.responses!['200']!.content!['application/json']!.schema = schema;
  return broken;
}

/** What the validator has to say; nothing when the document is valid and every reference leads somewhere. */
export async function faultsOf(document: OpenApiDocument): Promise<unknown> {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  if (!valid) return errors;
  try {
    validator.resolveRefs();
    return undefined;
  } catch (error) {
    return error;
  }
}

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Uses the client that the generator makes. */
const PROGRAM = `
import { createClient, createConfig } from './client/client/index.js';
import * as api from './client/index.js';

const client = createClient(createConfig({ baseUrl: 'http://127.0.0.1', auth: () => 'token' }));
export const results = [
  api.commandsControllerCommand({ client, path: { device: 'udara-01' }, body: { name: 'reboot' } }),
  api.readingsControllerReadings({ client, query: { device: 'udara-01', limit: 10 } }),
];
const sites = await api.sitesControllerSites({ client });
export const district: string | undefined = sites.data?.items[0]?.district;
const count = await api.readingsControllerCount({ client });
export const readings: number | undefined = count.data?.count;
const token = await api.tokensControllerToken({ client, path: { device: 'udara-01' }, body: {} });
export const expiresAt: string | undefined = token.data?.expiresAt;
const devices = await api.devicesControllerDevices({ client });
export const pm25: number | undefined = devices.data?.items[0]?.latest?.pm25?.value;
const alerts = await api.alertsControllerAlerts({ client });
export const why: string | undefined = alerts.data?.items[0]?.explanation?.id ?? alerts.error?.errors?.[0]?.field;
// @ts-expect-error -- a command has a name
api.commandsControllerCommand({ client, path: { device: 'udara-01' }, body: {} });
`;
/** What each role does with the client; prints what came of it. */
const TASKS = `
import { createClient, createConfig } from './client/client/index.js';
import * as api from './client/index.js';

declare const process: { readonly env: Record<string, string | undefined> };
const as = (role: string) =>
  createClient(createConfig({ baseUrl: process.env['API'] ?? '', auth: () => process.env[role.toUpperCase()] ?? '' }));

const viewer = as('viewer');
const stations = await api.stationsControllerList({ client: viewer });
const readings = await api.readingsControllerReadings({ client: viewer, query: { device: 'udara-01', limit: 1 } });
const path = { device: 'cctv-01' };
const refused = await api.commandsControllerCommand({ client: viewer, path, body: { name: 'reboot' } });

const operator = as('operator');
const ordered = await api.commandsControllerCommand({ client: operator, path, body: { name: 'reboot' } });

const evaluator = as('evaluator');
const rejected = await api.rejectedControllerRejected({ client: evaluator, query: { device: 'udara-01' } });
const first = rejected.data?.items[0];
const source = first?.source;
const entry =
  source === undefined
    ? undefined
    : await api.journalControllerEntry({
        client: evaluator,
        path: { stream: 'uplink', shard: source.shard, offset: source.offset },
      });

const administrator = as('administrator');
const site = await api.sitesControllerPutSite({
  client: administrator,
  path: { site: 'sembawa' },
  body: { name: 'Sembawa', district: 'Sembawa' },
});
const device = await api.devicesControllerPutDevice({
  client: administrator,
  path: { device: 'udara-02' },
  body: { site: 'sembawa', kind: 'air', name: 'Udara 2', interval: '1m' },
});
const audit = await api.auditControllerEntries({ client: administrator, query: { limit: 1 } });

console.log(
  JSON.stringify({
    viewer: [stations.data?.items[0]?.status, readings.data?.items[0]?.value, refused.error?.status],
    operator: [typeof ordered.data?.id, ordered.response?.status],
    evaluator: [first?.reason, entry?.data?.payloadText],
    administrator: [site.data?.name, device.data?.intervalMs, audit.data?.items[0]?.action],
  }),
);
`;
const COMPILER_OPTIONS = {
  strict: true,
  outDir: 'made',
  skipLibCheck: true,
  module: 'nodenext',
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  types: [],
};

/** Makes a client of the document with a standard generator, below the folder. */
export async function generateClient(folder: string, document: OpenApiDocument): Promise<Outcome> {
  mkdirSync(folder);
  const input = join(folder, 'openapi.json');
  writeFileSync(input, JSON.stringify(document));
  const options = ['-i', input, '-o', join(folder, 'client'), '--no-log-file'];
  return run(join(MODULES, '@hey-api/openapi-ts/bin/run.js'), ...options);
}

/** What the types of the client leave open; a word within quotes or a comment is none. */
export function openTypes(folder: string): string[] {
  const text = readFileSync(join(folder, 'client', 'types.gen.ts'), 'utf8').replace(
    /\/\*[^]*?\*\/|'[^'\n]*'/g,
    '',
  );
  return text.split('\n').filter((line) => /\b(unknown|any)\b/.test(line));
}

/** Checks the types of the client, and of programs that use it, and makes them. */
export async function checkClient(folder: string): Promise<Outcome> {
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  writeFileSync(join(folder, 'tasks.ts'), TASKS);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['program.ts', 'tasks.ts'] }),
  );
  return run(join(MODULES, 'typescript/bin/tsc'), '-p', folder);
}

/** Lets every role do its task with the client, against an API. @param tokens - by role */
export async function doTasks(
  folder: string,
  api: string,
  tokens: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const ofRoles = Object.entries(tokens).map(([role, token]) => [role.toUpperCase(), token]);
  const environment = { ...process.env, ...Object.fromEntries(ofRoles), API: api };
  return runWith(environment, join(folder, 'made', 'tasks.js'));
}

export async function run(program: string, ...args: string[]): Promise<Outcome> {
  return runWith(process.env, program, ...args);
}

async function runWith(env: NodeJS.ProcessEnv, program: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}
