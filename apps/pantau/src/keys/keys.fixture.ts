import { loadConfig, type LoadedConfig } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const CONFIG = join(ROOT, 'config');

/** What is read of the definition of a schema. */
interface Definition {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
}

/**
 * Every key that a file of this schema may have: `mappings[].codec`, `journal.retention.{}.maxAge`. A list or table of plain
 * values is one key.
 */
export function keysOf(schema: z.core.$ZodType, path = ''): string[] {
  const definition = schema._zod.def as unknown as Definition;
  const { shape, innerType = definition.in, element, valueType, options } = definition;
  if (shape !== undefined)
    return Object.entries(shape).flatMap(([name, member]) =>
      keysOf(member, path === '' ? name : `${path}.${name}`),
    );
  if (innerType !== undefined) return keysOf(innerType, path);
  const nested = element ?? valueType;
  if (nested !== undefined) {
    const inner = `${path}${element === undefined ? '.{}' : '[]'}`;
    const keys = keysOf(nested, inner);
    return keys.includes(inner) ? [path] : keys;
  }
  return [...new Set(options?.flatMap((option) => keysOf(option, path)) ?? [path])];
}

/** `pantau.yaml` as a test writes it, and the files beside it, as JSON, which is YAML. `{folder}` in a text is their folder. */
export interface Files {
  readonly pantau?: object;
  readonly [name: `${string}.yaml`]: object;
}

/**
 * Reads the files as the product does, beside those that come with Pantau. The data folder is there, too.
 *
 * @param environment - its variables, in which `{folder}` stands for the same
 */
export async function withFiles<T>(
  { pantau = {}, ...others }: Files,
  use: (config: LoadedConfig, folder: string) => T | Promise<T>,
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  using folder = temporaryFolder('keys');
  cpSync(CONFIG, folder.path, { recursive: true });
  const write = (name: string, content: object): string => {
    const file = join(folder.path, name);
    writeFileSync(file, JSON.stringify(content).replaceAll('{folder}', folder.path));
    return file;
  };
  for (const [name, content] of Object.entries(others)) write(name, content);
  const file = write('pantau.yaml', merged({ data: '{folder}/data' }, pantau));
  const variables = Object.entries(environment).map(([name, value]) => [
    ...[name, value.replaceAll('{folder}', folder.path)],
  ]);
  return await use(loadConfig(file, Object.fromEntries(variables) as NodeJS.ProcessEnv), folder.path);
}

/** What stands at a key of a file, as the text of an environment variable. */
function textAt(key: string, file: object = {}): string {
  const value = key
    .split('.')
    .reduce<unknown>((section, name) => (section as Record<string, unknown>)[name], file);
  if (!['string', 'number', 'boolean'].includes(typeof value)) throw new Error(`nothing at ${key}`);
  return String(value);
}

/** What the product does when an environment variable says what the case has at the key of the file. */
export async function behaviourByVariable(name: string, key: string, of: Case): Promise<unknown> {
  const { written, beside = {}, behaviour } = of;
  const { pantau = {}, ...others } = written;
  const files = merged(beside, { ...others, pantau: without(key.split('.'), pantau) }) as Files;
  return withFiles(files, behaviour, { [name]: textAt(key, pantau) });
}

function without([name = '', ...rest]: readonly string[], file: object): object {
  const { [name]: value, ...others } = file as Record<string, object>;
  return rest.length === 0 || value === undefined ? others : { ...others, [name]: without(rest, value) };
}

/** A key that is changed, and what that changes. */
export interface Case {
  /** With the key. */
  readonly written: Files;
  /** Without it; no files of its own by default. */
  readonly beside?: Files;
  /** What the product does, in a few words. */
  readonly behaviour: (config: LoadedConfig, folder: string) => Promise<unknown>;
  /** Without and with the key. */
  readonly expected: readonly [unknown, unknown];
}
export type Cases = Readonly<Record<string, Case>>;

/** What the product does without the key, and with it. */
export async function behavioursOf({ written, beside = {}, behaviour }: Case): Promise<[unknown, unknown]> {
  return [await withFiles(beside, behaviour), await withFiles(merged(beside, written) as Files, behaviour)];
}

/** A key at its place in a file: `at('a.b[].c', 1)` is `{ a: { b: [{ c: 1 }] } }`. */
export function at(key: string, value: unknown): object {
  return key
    .split('.')
    .reverse()
    .reduce<unknown>(
      (inner, name) => (name.endsWith('[]') ? { [name.slice(0, -2)]: [inner] } : { [name]: inner }),
      value,
    ) as object;
}

/** The objects as one; what the second one says counts. */
export function merged(first: object, second: object): object {
  const result: Record<string, unknown> = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const [before, isBoth] = [result[name], [result[name], value].every(isPlain)];
    result[name] = isBoth ? merged(before as object, value as object) : (value as unknown);
  }
  return result;
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the second one has otherwise, by path. */
export function differences(before: unknown, after: unknown, path = ''): Record<string, unknown> {
  if (!isPlain(before) || !isPlain(after))
    return JSON.stringify(before) === JSON.stringify(after) ? {} : { [path]: after };
  const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return Object.assign(
    {},
    ...names.map((name) => differences(old[name], now[name], path === '' ? name : `${path}.${name}`)),
  ) as Record<string, unknown>;
}

/** Where the effect of an option is shown: a spec, and the words with which its case begins. */
export type ShownBy = readonly [spec: string, words: string];

/** Fails when the case is not there any more. */
export function assertShown([spec, words]: ShownBy): void {
  const text = readFileSync(join(ROOT, spec), 'utf8');
  expect([spec, words, text.includes(words)]).toEqual([spec, words, true]);
}
