import { PantauError, parseYamlDocument } from '#libs/kernel';
import { readFileSync } from 'node:fs';
import { isNode, LineCounter, type Document } from 'yaml';
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

/** {@link readYamlFile} on a text that was read already; `file` names it in errors. */
export function parseYaml<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const { document, value } = parseYamlDocument(text, file, lines);
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(
        ({ message, pos: [offset] }) => `${file}:${lines.linePos(offset).line}: ${message}`,
      ),
    );
  }
  const result = schema.safeParse(value ?? undefined);
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.map(
      ({ path, message }) =>
        `${file}:${lineOf(document, path, lines)}: ${path.join('.') || '(file)'}: ${message}`,
    ),
  );
}

/** The line of the node at the path, or of the nearest node above it: a missing key has no line of its own. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function invalid(problems: readonly string[]): PantauError {
  return new PantauError('CONFIG_INVALID', `\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}
