import { isNode, LineCounter, type Document } from 'yaml';
import type { z } from 'zod';
import { PantauError } from '../errors.js';
import { parseYamlDocument } from './yaml-door.js';

/**
 * Reads a YAML text and checks it. Every problem is reported at once, each with file, line and what was expected.
 *
 * @param file - names the text in errors
 * @throws PantauError `CONFIG_INVALID`; `INPUT_LIMIT` when it is nested too deep or too large
 */
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
    result.error.issues.map((issue) => {
      const { path, message } = issue;
      // An unknown key is shown where it stands, and not where its object begins.
      const place = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
      return `${file}:${lineOf(document, place, lines)}: ${path.join('.') || '(file)'}: ${message}`;
    }),
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
