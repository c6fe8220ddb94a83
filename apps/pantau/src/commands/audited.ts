import { PantauError } from '#libs/kernel';
import type { Audit } from '#libs/identity';
import type { Command } from 'commander';
import { hostname, userInfo } from 'node:os';

/** Commands that change nothing; every other one is recorded. */
export const READING_COMMANDS: readonly string[] = [
  ...['bridge', 'replay', 'reconcile', 'upload', 'export', 'evidence show'],
  ...[
    'device list',
    'device sensors',
    'site list',
    'token list',
    'account list',
    'user list',
    'mapping list',
  ],
];

/** The command that runs. */
export interface RunningCommand {
  /** As it is typed, such as `site add`. */
  readonly name: string;
  /** What it is done to: ids and file names, never a secret. */
  readonly on: readonly string[];
}

export function runningCommand(command: Command): RunningCommand {
  const names: string[] = [];
  for (let at = command; at.parent !== null; at = at.parent) names.unshift(at.name());
  return { name: names.join(' '), on: command.args };
}

/** Records what a command did, once it has ended in whatever way. */
export async function recordCommand(
  audit: Audit,
  running: RunningCommand | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (running === undefined || READING_COMMANDS.includes(running.name)) return work();
  const { name, on } = running;
  const entry = {
    by: { kind: 'command', name: operator() },
    from: hostname(),
    action: `pantau ${name}`,
    on: Object.fromEntries(on.map((text, i) => [i === 0 ? 'what' : `what${i + 1}`, text])),
  } as const;
  try {
    await work();
  } catch (error) {
    const code = error instanceof PantauError ? { code: error.code } : {};
    await audit.record({ ...entry, result: 'failed', status: 1, ...code });
    throw error;
  }
  await audit.record({ ...entry, result: 'done', status: 0 });
}

/** The account of the operating system, which may have no name. */
function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
