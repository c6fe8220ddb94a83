import { PantauError, parseYaml } from '#libs/kernel';
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/**
 * Reads and checks a YAML file. Every problem is reported at once, each with file, line and what was expected.
 *
 * @throws PantauError `CONFIG_UNREADABLE` when the file cannot be read, `CONFIG_INVALID` when its content does not fit,
 * `INPUT_LIMIT` when it is nested too deep or too large
 */
export function readYamlFile<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PantauError('CONFIG_UNREADABLE', `cannot read ${file}.`, {
      remedy: 'Check the path and the permissions.',
      cause,
    });
  }
  return parseYaml(file, text, schema);
}
