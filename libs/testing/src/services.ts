import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayMount } from './small-filesystem.js';

/** Set in CI: a suite whose server is missing then fails instead of being skipped. */
const REQUIRED = process.env['PANTAU_REQUIRE_SERVICES'] === '1';

/** What suites need of the machine, real servers mostly, and how to get each. */
const REMEDIES = {
  influxd: 'apt-get install influxdb',
  mosquitto: 'apt-get install mosquitto',
  mosquitto_pub: 'apt-get install mosquitto-clients',
  'paho-mqtt': 'apt-get install python3-paho-mqtt',
  openssl: 'apt-get install openssl',
  chromium: 'apt-get install chromium',
  mount: 'run as root with the right to mount',
} as const;
/** Debian's interpreter, for which Debian's packages are: another one on the PATH does not see them. */
export const PYTHON = '/usr/bin/python3';
export type Service = keyof typeof REMEDIES;

function isThere(service: Service): boolean {
  // The program is everywhere; the right to use it is not, in containers least of all.
  if (service === 'mount') return mayMount();
  if (service === 'paho-mqtt') return spawnSync(PYTHON, ['-c', 'import paho.mqtt.client']).status === 0;
  // Debian puts servers into /usr/sbin, which is not on every PATH.
  const result = spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${service}`]);
  return result.status === 0;
}

/**
 * A suite that needs a real server, or a right on this machine. Without it the suite is skipped, says so in its title (the summary prints it) and
 * is counted; with `PANTAU_REQUIRE_SERVICES=1` it fails.
 */
export function describeWith(services: readonly Service[], name: string, suite: () => void): void {
  const missing = services.filter((service) => !isThere(service));
  if (missing.length === 0) {
    describe(name, suite);
    return;
  }
  const remedy = missing.map((service) => REMEDIES[service]).join(', ');
  if (REQUIRED) {
    describe(name, () => {
      it('finds what it needs', () => {
        throw new Error(`${missing.join(', ')} not there: ${remedy}`);
      });
    });
    return;
  }
  describe.skip(`${name} (skipped: needs ${missing.join(', ')}: ${remedy})`, suite);
}

/** A new folder below the system's temporary one; dispose to remove it. */
export function temporaryFolder(label: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `pantau-${label}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Waits until the probe gives a value other than undefined or false. For conditions of another process, which send no event.
 *
 * @throws Error that names the condition when the deadline passes; the last error of the probe is its cause
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 20_000,
): Promise<Exclude<Awaited<T>, undefined | false>> {
  const deadline = Date.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value as Exclude<Awaited<T>, undefined | false>;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline)
      throw new Error(`gave up after ${deadlineMs} ms waiting until ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A server process of a test. */
export interface ServerProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it printed so far, both streams. */
  output(): string;
  /** Ends it with the signal and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program and keeps what it prints. */
export function startProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ServerProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, ...env },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      text += String(error);
      resolve();
    });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) child.kill(signal);
    await gone;
  };
  return { process: child, output: () => text, stop, [Symbol.asyncDispose]: () => stop('SIGKILL') };
}
