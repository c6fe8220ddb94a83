import { PantauError } from './errors.js';

/**
 * What a value from outside may be at most. Whatever comes from outside passes here before anything recurses into it: a
 * stack is small, and what overflows one does so in whichever part of the process happens to look at it.
 */
export interface Bounds {
  /** Objects and lists within each other; a number or a text has depth 0. */
  readonly depth: number;
  /** Members of all objects and items of all lists together. */
  readonly members: number;
  /** Of the text as it came; of a value, its texts, names and byte strings. */
  readonly bytes: number;
}

/** Bodies and queries over HTTP. */
export const REQUEST_BOUNDS: Bounds = { depth: 32, members: 10_000, bytes: 1_048_576 };
/** What an entry of the journal may hold: more than any door lets in, so that what was let in stays readable. */
export const ENTRY_BOUNDS: Bounds = { depth: 64, members: 500_000, bytes: 8 * 1_048_576 };
/** Configuration and other files that the operator wrote. */
export const FILE_BOUNDS: Bounds = { depth: 64, members: 2_000_000, bytes: 64 * 1_048_576 };

/** Where a value leaves its bounds. */
export interface BoundsFault {
  /** The member that holds it, such as `params`; empty when it is the value itself. */
  readonly field: string;
  readonly kind: keyof Bounds;
  readonly message: string;
}

/** Of a path, what names the member to a person: the levels of a deep nesting say nothing. */
const SHOWN_LEVELS = 3;

/** The first place at which a value leaves the bounds; undefined when it does not. Does not recurse. */
export function boundsFault(value: unknown, bounds: Bounds): BoundsFault | undefined {
  let members = 0;
  let bytes = sizeOf(value);
  const open: Level[] = [];
  if (isContainer(value)) open.push(levelOf(value));
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    if (open.length > bounds.depth) return faultAt(open, 'depth', bounds);
    const { names, values } = level;
    if (level.at === 0 && (members += values.length) > bounds.members)
      return faultAt(open, 'members', bounds);
    let inner: object | undefined;
    while (inner === undefined && level.at < values.length) {
      const member = values[level.at];
      bytes += sizeOf(member) + (names?.[level.at]?.length ?? 0);
      level.at++;
      if (isContainer(member)) inner = member;
    }
    if (bytes > bounds.bytes) return faultAt(open, 'bytes', bounds);
    if (inner === undefined) open.pop();
    else open.push(levelOf(inner));
  }
  return bytes > bounds.bytes ? faultAt(open, 'bytes', bounds) : undefined;
}

/** @throws PantauError `INPUT_LIMIT` that names the member and the limit */
export function assertWithin(value: unknown, bounds: Bounds, what = 'body'): void {
  const fault = boundsFault(value, bounds);
  if (fault !== undefined) throw limitError(fault, what);
}

/**
 * Parses JSON of bounded size.
 *
 * @param what - names the whole in errors, such as `body`
 * @throws PantauError `INPUT_LIMIT`; @throws SyntaxError when it is no JSON
 */
export function parseJson(json: string | Uint8Array, bounds: Bounds, what = 'JSON'): unknown {
  const bytes = typeof json === 'string' ? Buffer.from(json) : json;
  const text = typeof json === 'string' ? json : utf8.decode(json);
  const fault = jsonFault(bytes, text, bounds);
  // eslint-disable-next-line no-restricted-properties -- the door itself
  if (fault === undefined) return JSON.parse(text) as unknown;
  throw limitError(fieldOf(text, bounds) ?? fault, what);
}

/**
 * As {@link boundsFault} for JSON that was not parsed, and need not be JSON at all; without the name of the member.
 *
 * @param text - the same as text
 */
export function jsonFault(json: Uint8Array, text: string, bounds: Bounds): BoundsFault | undefined {
  if (json.length > bounds.bytes) return { field: '', kind: 'bytes', message: messageFor('bytes', bounds) };
  // Two bytes are the least that a further member takes.
  if (json.length < 2 * bounds.members && hasFewBrackets(text, bounds.depth)) return undefined;
  const { depth, members } = shapeOf(json);
  if (depth > bounds.depth)
    return { field: '', kind: 'depth', message: `nested ${depth} deep; at most ${bounds.depth}` };
  if (members > bounds.members) return { field: '', kind: 'members', message: messageFor('members', bounds) };
  return undefined;
}

const utf8 = new TextDecoder();

/** An object or a list on the way down, with the place in it. */
interface Level {
  readonly names: readonly string[] | undefined;
  readonly values: readonly unknown[];
  at: number;
}

function levelOf(container: object): Level {
  if (Array.isArray(container)) return { names: undefined, values: container, at: 0 };
  return { names: Object.keys(container), values: Object.values(container), at: 0 };
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

function sizeOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

function faultAt(open: readonly Level[], kind: keyof Bounds, bounds: Bounds): BoundsFault {
  // The outermost levels name the member; the innermost one is where it became too much.
  const path = open.slice(0, kind === 'depth' ? 1 : -1).slice(0, SHOWN_LEVELS);
  const field = path.map(({ names, at }) => names?.[at - 1] ?? String(at - 1)).join('.');
  return { field: field.slice(0, 100), kind, message: messageFor(kind, bounds) };
}

function messageFor(kind: keyof Bounds, bounds: Bounds): string {
  if (kind === 'depth') return `nested too deep; at most ${bounds.depth}`;
  return kind === 'members'
    ? `too many members and items; at most ${bounds.members}`
    : `too large; at most ${bounds.bytes} bytes`;
}

function limitError({ field, message }: BoundsFault, what: string): PantauError {
  const at = field === '' ? what : field;
  return new PantauError('INPUT_LIMIT', `${at}: ${message}.`, {
    remedy: 'Send less, or send it in parts.',
    fields: [{ field: at, message }],
  });
}

/** The member in which JSON leaves the bounds, when it is JSON. */
function fieldOf(text: string, bounds: Bounds): BoundsFault | undefined {
  if (text.length > bounds.bytes) return undefined;
  try {
    // V8's parser keeps its own stack, so depth costs it nothing.
    // eslint-disable-next-line no-restricted-properties -- the door itself
    return boundsFault(JSON.parse(text), bounds);
  } catch {
    return undefined;
  }
}

/** Whether there are so few brackets, be they in strings or not, that none can be too deep; a fraction of the scan. */
function hasFewBrackets(text: string, depth: number): boolean {
  let left = depth;
  for (let at = text.indexOf('{'); at !== -1 && left >= 0; at = text.indexOf('{', at + 1)) left--;
  for (let at = text.indexOf('['); at !== -1 && left >= 0; at = text.indexOf('[', at + 1)) left--;
  return left >= 0;
}

/**
 * Deepest nesting of brackets outside strings, and the number of members (an empty list counts for one); a scan, so that hostile depth costs no
 * recursion. Of bytes: those of a character beyond ASCII are never those of a bracket, a quote or a backslash.
 */
function shapeOf(json: Uint8Array): { readonly depth: number; readonly members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c) members++;
    else if (byte === 0x7b || byte === 0x5b) {
      members++;
      deepest = Math.max(deepest, ++depth);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return { depth: deepest, members };
}
