/** Members that hold an instant: milliseconds inside, ISO 8601 outside. */
const INSTANTS = new Set([
  'ts',
  'hour',
  'at',
  'since',
  'receivedAt',
  'lastSeen',
  'lastFrameAt',
  'firstAt',
  'lastAt',
  'expiresAt',
  'startedAt',
  'finishedAt',
]);

/** Members that hold somebody's own JSON, whatever its members are called. */
const OPAQUE = new Set(['params', 'configuration']);

/** The same plain data with its instants as ISO 8601. */
export function iso<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => iso(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => [
    name,
    shown(name, member),
  ]);
  return Object.fromEntries(members) as T;
}

function shown(name: string, member: unknown): unknown {
  if (OPAQUE.has(name)) return member;
  return typeof member === 'number' && INSTANTS.has(name) ? new Date(member).toISOString() : iso(member);
}
