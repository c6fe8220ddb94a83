import { FILE_BOUNDS, parseDuration, PantauError, parseJson } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { InvalidArgumentError, Option } from 'commander';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { recordCommand, type RunningCommand } from './audited.js';
import { openEngines, type Engines } from '../storage/engines.js';

const OWNER_ALONE = 0o600;

/** What every command gets. */
export interface CommandContext {
  readonly config: () => LoadedConfig;
  readonly print: (line: string) => void;
  /** The command that runs, for the audit log. */
  readonly running?: () => RunningCommand | undefined;
}

/** Runs a command on the data folder, beside a running Pantau or without one; one that changes something is in the audit log. */
export async function withEngines(
  { config, running }: CommandContext,
  command: (engines: Engines) => Promise<void>,
): Promise<void> {
  const engines = await openEngines(config());
  try {
    await recordCommand(engines.audit, running?.(), () => command(engines));
  } finally {
    await engines.close();
  }
}

export const credentialsOption = (): Option =>
  new Option(
    '--credentials <file>',
    'tulis kata sandi ke berkas ini, bukan ke layar / write the password into this file (JSON), not to the screen',
  );

export function durationArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as 30s, 5m, 2h or 1d');
  return ms;
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number above 0');
  return Number(text);
}

export function finiteNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('expected a number');
  return number;
}

/** An address with one of these schemes. */
export function addressOf(schemes: readonly string[]): (text: string) => string {
  return (text) => {
    if (URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1))) return text;
    throw new InvalidArgumentError(`expected an address that begins with ${schemes.join(':// or ')}://`);
  };
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

export function readCredentials(file: string): Record<string, string> {
  try {
    return parseJson(readFileSync(file), FILE_BOUNDS, file) as Record<string, string>;
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read the credentials ${file}.`, {
      remedy: 'Make them: pantau device add-plan demo --credentials <file>',
      cause,
    });
  }
}

/** Adds passwords to a file that only its owner can read. */
export function saveCredentials(passwords: Readonly<Record<string, string>>, file: string): void {
  const before = existsSync(file) ? readCredentials(file) : {};
  writePrivately(file, `${JSON.stringify({ ...before, ...passwords }, null, 2)}\n`);
}

/** Writes a file that only its owner can read, also when it was there before and others could. */
export function writePrivately(file: string, text: string): void {
  if (existsSync(file)) chmodSync(file, OWNER_ALONE);
  writeFileSync(file, text, { mode: OWNER_ALONE });
}

/** Shows new passwords once, or adds them to a file. */
export function tell(
  { print }: CommandContext,
  passwords: Readonly<Record<string, string>>,
  file: string | undefined,
): void {
  if (file === undefined) {
    for (const [id, password] of Object.entries(passwords)) print(`${id}\t${password}`);
    return;
  }
  saveCredentials(passwords, file);
  print(`${Object.keys(passwords).length} kata sandi ditulis ke / passwords written to ${file}`);
}
