import { createHash } from 'node:crypto';
import { openSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The system keeps the path of a socket in 108 bytes, or 104, with a zero at the end. */
const LONGEST_PATH = 100;
const folders = new Map<string, number>();

/**
 * Path of a socket by which processes over one data folder talk. It lies in the folder, which its owner alone may enter; a
 * path that is too long for a socket goes through a descriptor of the folder, which stays open as long as the process.
 */
export function localSocket(folder: string, name: string): string {
  const whole = resolve(folder);
  if (process.platform === 'win32') return `\\\\.\\pipe\\pantau-${name}-${pathDigest(whole)}`;
  const path = join(whole, `${name}.sock`);
  if (Buffer.byteLength(path) <= LONGEST_PATH || process.platform !== 'linux') return path;
  const descriptor = folders.get(whole) ?? openSync(whole, 'r');
  folders.set(whole, descriptor);
  return `/proc/self/fd/${descriptor}/${name}.sock`;
}

function pathDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
