import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MODULES = ['dist', 'apps', 'pantau', 'src'];
const BUILT = join(ROOT, ...MODULES);

/** A module of the built program, for tests about processes: `npm test` builds it first. */
export const built = (module: string): string => join(BUILT, module);
export const MAIN = built('main.js');

/** The built program and its page in a folder of their own, where a test may change them. */
export function copyProgram(folder: string): { readonly main: string; readonly page: string } {
  for (const name of ['dist', 'package.json', 'config'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { main: join(folder, ...MODULES, 'main.js'), page: join(folder, 'dist', 'web') };
}
