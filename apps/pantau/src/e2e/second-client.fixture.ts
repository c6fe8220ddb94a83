import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES, run, type OpenApiDocument, type Outcome } from './openapi.fixture.js';

/** What each role does with the client; prints what came of it. */
const TASKS = `
import * as api from './api.js';

declare const process: { readonly env: Record<string, string | undefined> };
api.defaults.baseUrl = process.env['API'] ?? '';
const as = (role: string) => ({ headers: { authorization: \`Bearer \${process.env[role.toUpperCase()] ?? ''}\` } });

/** One of the answers that the document describes. */
function of<A extends { status: number }, S extends A['status']>(answer: A, status: S): Extract<A, { status: S }> {
  if (answer.status !== status) throw new Error(JSON.stringify(answer));
  return answer as Extract<A, { status: S }>;
}
const order = { name: 'reboot' };

const stations = of(await api.stationsControllerList({}, as('viewer')), 200);
const status: 'silent' | 'not_enough_data' | 'ok' | undefined = stations.data.items[0]?.status;
const readings = of(await api.readingsControllerReadings({ device: 'udara-01', limit: 1 }, as('viewer')), 200);
if (typeof readings.data === 'string') throw new Error('this is no JSON');
const value: number | undefined = readings.data.items[0]?.value;
const refused = of(await api.commandsControllerCommand('cctv-01', order, {}, as('viewer')), 403);
const refusal: number = refused.data.status;

const ordered = of(await api.commandsControllerCommand('cctv-01', order, {}, as('operator')), 202);
const command: string = ordered.data.id;
// @ts-expect-error -- a command has a name
export const nameless: Parameters<typeof api.commandsControllerCommand>[1] = {};

const rejected = of(await api.rejectedControllerRejected({ device: 'udara-01' }, as('evaluator')), 200);
const [first] = rejected.data.items;
if (first?.source === undefined) throw new Error('nothing was refused');
const { stream, shard, offset } = first.source;
if (stream === 'audit' || stream === 'identity') throw new Error('nobody may read that');
const entry = of(await api.journalControllerEntry(stream, shard, offset, {}, as('evaluator')), 200);
const payload: string | undefined = entry.data.payloadText;

const asked = { name: 'Sembawa', district: 'Sembawa' };
const site = of(await api.sitesControllerPutSite('sembawa', asked, {}, as('administrator')), 200);
const district: string | undefined = site.data.district;
const audit = of(await api.auditControllerEntries({ limit: 1 }, as('administrator')), 200);
const action: string | undefined = audit.data.items[0]?.action;

console.log(
  JSON.stringify({
    viewer: [status, value, refusal],
    operator: [typeof command],
    evaluator: [first.reason, payload],
    administrator: [district, action],
  }),
);
`;

/** Makes a client of the document with another generator than the first, of another descent, below the folder. */
export async function generateSecondClient(folder: string, document: OpenApiDocument): Promise<Outcome> {
  mkdirSync(folder);
  const input = join(folder, 'openapi.json');
  writeFileSync(input, JSON.stringify(document));
  return run(join(MODULES, 'oazapfts/dist/cli.js'), input, join(folder, 'api.ts'));
}

/** What its types leave open; a word within quotes or a comment is none. */
export function openMembers(folder: string): string[] {
  const text = readFileSync(join(folder, 'api.ts'), 'utf8').replace(/\/\*[^]*?\*\/|"[^"\n]*"/g, '');
  return text.split('\n').filter((line) => /\b(unknown|any)\b/.test(line));
}

/** Compiles it, and the tasks, as strictly as this repository compiles its own sources. */
export async function compileSecondClient(folder: string): Promise<Outcome> {
  writeFileSync(join(folder, 'tasks.ts'), TASKS);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(MODULES, join(folder, 'node_modules'));
  const compilerOptions = {
    // The code around the types of this generator gives options as undefined.
    exactOptionalPropertyTypes: false,
    ...{ rootDir: '.', outDir: 'made', sourceMap: false, types: [] },
    lib: ['es2023', 'dom', 'dom.iterable'],
  };
  const own = join(MODULES, '../tsconfig.json');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: own, compilerOptions, files: ['tasks.ts'], include: [], exclude: [] }),
  );
  return run(join(MODULES, 'typescript/bin/tsc'), '-p', folder);
}
