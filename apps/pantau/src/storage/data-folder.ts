import { PantauError } from '#libs/kernel';
import { makeFolder } from '#libs/platform';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 0o700;
const FILE = 0o600;
/** What Pantau makes in its data folder. In a folder with anything else nothing but this is its own. */
const OWN = /^(journal|archive|readings\.duckdb(\..+)?|http-intake\.sock)$/;

/**
 * Makes the data folder, or takes from others what they may do in the one that is there: it holds a signing secret and
 * whatever the devices said. A folder that holds other things too keeps its own mode.
 *
 * @throws PantauError `DATA_DIR_UNUSABLE`
 */
export function prepareDataFolder(folder: string): void {
  try {
    makeFolder(folder);
    const names = readdirSync(folder);
    if (names.every((name) => OWN.test(name))) restrict(folder);
    for (const name of names) {
      if (!OWN.test(name)) continue;
      restrict(join(folder, name));
      if (statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() !== true) continue;
      for (const below of readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }))
        restrict(join(folder, name, below));
    }
  } catch (cause) {
    throw new PantauError('DATA_DIR_UNUSABLE', `cannot open the data folder ${folder}.`, {
      remedy: 'Check that it is a folder, is writable and has space.',
      cause,
    });
  }
}

/** Files come and go while another process runs on the folder: what is gone needs nothing. */
function restrict(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & 0o077) === 0) return;
  try {
    chmodSync(path, found.isDirectory() ? FOLDER : FILE);
  } catch (error) {
    // What belongs to another user is not for this one to change.
    if (!['ENOENT', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
