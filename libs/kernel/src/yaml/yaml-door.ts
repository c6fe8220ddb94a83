// eslint-disable-next-line no-restricted-imports -- the door itself
import { CST, Lexer, parseDocument, type Document, type LineCounter } from 'yaml';
import { assertWithin, FILE_BOUNDS, type Bounds } from '../bounds.js';
import { PantauError } from '../errors.js';

/** A column of indentation is the least that a level of blocks takes. */
const MAX_INDENTATION = 400;

/**
 * Parses YAML of bounded size and depth. The parser recurses, so depth is looked for among the tokens first: it would
 * take the process down.
 *
 * @param file - names the text in errors
 * @throws PantauError `INPUT_LIMIT`; what is no YAML is among the errors of the document
 */
export function parseYamlDocument(
  text: string,
  file: string,
  lineCounter?: LineCounter,
  bounds: Bounds = FILE_BOUNDS,
): { readonly document: Document; readonly value: unknown } {
  const line = lineTooDeep(text, bounds);
  if (line !== undefined) throw tooDeep(`${file}:${line}`, bounds);
  const document = parseDocument(text, {
    prettyErrors: false,
    ...(lineCounter === undefined ? {} : { lineCounter }),
  });
  if (document.errors.length > 0) return { document, value: undefined };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    // Aliases that multiply.
    throw new PantauError('INPUT_LIMIT', `${file}: ${(cause as Error).message}.`, { cause });
  }
  assertWithin(value, bounds, file);
  return { document, value };
}

/** The line at which nesting becomes too deep; undefined when it does not. */
function lineTooDeep(text: string, bounds: Bounds): number | undefined {
  if (text.length > bounds.bytes)
    throw new PantauError('INPUT_LIMIT', `${text.length} characters of YAML; at most ${bounds.bytes}.`);
  let line = 1;
  let flow = 0;
  let inLine = 0;
  for (const token of new Lexer().lex(text)) {
    switch (CST.tokenType(token)) {
      case 'newline':
        line++;
        inLine = 0;
        break;
      case 'space':
        if (token.length > MAX_INDENTATION) return line;
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        inLine++;
        break;
      case 'flow-map-start':
      case 'flow-seq-start':
        flow++;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        flow--;
        break;
      default:
        // A block scalar holds lines of its own.
        line += token.split('\n').length - 1;
    }
    if (flow > bounds.depth || (flow === 0 && inLine > bounds.depth)) return line;
  }
  return undefined;
}

function tooDeep(place: string, { depth }: Bounds): PantauError {
  return new PantauError('INPUT_LIMIT', `${place}: nested too deep; at most ${depth}.`);
}
