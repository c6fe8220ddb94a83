import { join } from 'node:path';

const BUILT = join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'pantau', 'src');

/** A module of the built program, for tests about processes: `npm test` builds it first. */
export const built = (module: string): string => join(BUILT, module);
export const MAIN = built('main.js');
