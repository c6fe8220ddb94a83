import { Validator } from '@seriousme/openapi-schema-validator';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../../../node_modules');

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
}
export interface OpenApiDocument extends Record<string, unknown> {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The same with a `$ref` that leads nowhere, in the body of this route. */
export function withBrokenRef(document: OpenApiDocument, path: string): OpenApiDocument {
  const broken = structuredClone(document);
  broken.paths[path]!['post']!.requestBody!.content['application/json']!.schema = {
    $ref: '#/$defs/__schema0',
  };
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

interface Outcome {
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
const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
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

/** Checks the types of the client, and of a program that uses it. */
export async function checkClient(folder: string): Promise<Outcome> {
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['program.ts'] }),
  );
  return run(join(MODULES, 'typescript/bin/tsc'), '-p', folder);
}

async function run(program: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}
