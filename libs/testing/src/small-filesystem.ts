import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real file system of its own, small enough to be filled. */
export interface SmallFilesystem extends Disposable {
  readonly path: string;
  freeBytes(): number;
  /** What another program would do: takes all free space but the bytes to be left. */
  fill(leaveBytes: number): void;
  /** Gives back what {@link fill} took. */
  clear(): void;
}

/** Whether this process may mount: root may, unless it lives in a container without the right. */
export function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    mountSmallFilesystem(65_536)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

/** Mounts a tmpfs on a new folder; dispose to unmount and remove it. */
export function mountSmallFilesystem(bytes: number): SmallFilesystem {
  const path = mkdtempSync(join(tmpdir(), 'pantau-small-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'pantau-test', path], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true });
    throw new Error(`cannot mount: ${mounted.error?.message ?? mounted.stderr}`);
  }
  const ballast = join(path, 'ballast');
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    freeBytes,
    fill(leaveBytes) {
      try {
        appendFileSync(ballast, Buffer.alloc(Math.max(0, freeBytes() - leaveBytes)));
      } catch (error) {
        // Whoever is tested writes too, and may take some of it between the look and here: full all the same.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    clear: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      // Lazily: a test that failed may not have closed everything, and nothing may stay mounted after it.
      spawnSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
