import { temporaryFolder, waitUntil } from '#libs/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LmdbEnvironment } from './lmdb-environment.js';

const OPENER = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'opener.mjs');
/** Without the lock a commit is lost in about one of a hundred. */
const OPENED = 600;
const KILLED_AFTER = 60;

/** In memory where there is such a folder: a commit that need not wait for a disk meets others' opening more often. */
function quickFolder(): Disposable & { readonly path: string } {
  if (!existsSync('/dev/shm')) return temporaryFolder('opening');
  const path = mkdtempSync('/dev/shm/pantau-opening-');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A process that opens the environment and closes it, again and again. */
function startOpener(folder: string): { opened: () => number; end: () => Promise<void> } {
  const child = spawn(process.execPath, [OPENER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let opened = 0;
  child.stdout.on('data', (chunk: Buffer) => (opened = Number(chunk.toString().trim().split('\n').pop())));
  const exited = once(child, 'exit');
  return {
    opened: () => {
      if (child.exitCode !== null) throw new Error('the process that opens has ended');
      return opened;
    },
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('an LMDB environment that others open', () => {
  it('keeps every commit while two processes open it and close it, and are killed at it', async () => {
    using folder = quickFolder();
    const environment = LmdbEnvironment.open(folder.path);
    const numbers = environment.database<number, string>('numbers', 'msgpack');
    let opened = 0;
    const open = async (): Promise<void> => {
      while (opened < OPENED) {
        const opener = startOpener(folder.path);
        await waitUntil('it is opened some times', () => opener.opened() >= KILLED_AFTER);
        opened += opener.opened();
        await opener.end();
      }
    };
    const openings = Promise.all([open(), open()]);
    let last = 0;
    const lost: number[] = [];
    while (opened < OPENED) {
      const n = last + 1;
      await environment.transact(() => {
        if (last > 0 && numbers.get(String(last)) !== last) lost.push(last);
        void numbers.put(String(n), n);
      });
      last = n;
    }
    await openings;
    expect(lost).toEqual([]);
    expect(Array.from(numbers.getKeys())).toHaveLength(last);
    await environment.close();
  }, 120_000);

  it('is written on by those who have it, when a process died while it was opening it', async () => {
    using folder = temporaryFolder('opening');
    const environment = LmdbEnvironment.open(folder.path);
    const numbers = environment.database<number, string>('numbers', 'msgpack');
    const left = join(folder.path, 'opening', 'now');
    writeFileSync(left, '');
    await environment.transact(() => void numbers.put('one', 1));
    expect(existsSync(left)).toBe(false);
    writeFileSync(left, '');
    environment.database('others', 'msgpack');
    expect(existsSync(left)).toBe(false);
    expect(numbers.get('one')).toBe(1);
    await environment.close();
  });

  it('is written on in the order of the commits that waited, before any that came later', async () => {
    using folder = temporaryFolder('opening');
    const environment = LmdbEnvironment.open(folder.path);
    const numbers = environment.database<number, string>('numbers', 'msgpack');
    writeFileSync(join(folder.path, 'opening', 'now'), '');
    const order: string[] = [];
    const commit = async (name: string): Promise<void> =>
      environment.transact(() => {
        order.push(name);
        void numbers.put(name, order.length);
      });
    const first = commit('first');
    await Promise.all([first, commit('second'), first.then(() => commit('fourth')), commit('third')]);
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
    await environment.close();
  });

  it('is opened at once while others that have it do nothing', async () => {
    using folder = temporaryFolder('opening');
    const environment = LmdbEnvironment.open(folder.path);
    const numbers = environment.database<number, string>('numbers', 'msgpack');
    // Commits that overlap, so that the last of them lets go of what the first one announced.
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 5 }, (_, n) => environment.transact(() => void numbers.put(`${n}`, n))),
      );
    const opener = startOpener(folder.path);
    await waitUntil('it is opened some times', () => opener.opened() > 3);
    await opener.end();
    await environment.transact(() => void numbers.put('last', 1));
    await environment.close();
  }, 60_000);
});
