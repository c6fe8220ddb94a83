/** Members that hold an instant: milliseconds inside, ISO 8601 outside. */
const INSTANTS = [
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
  'passwordAt',
] as const;
const instants: ReadonlySet<string> = new Set(INSTANTS);

/** Members that hold somebody's own JSON, whatever its members are called. */
const OPAQUE = ['params', 'configuration'] as const;
const opaque: ReadonlySet<string> = new Set(OPAQUE);

/** The type of the same plain data with its instants as ISO 8601. */
export type Iso<T> = T extends object
  ? {
      [K in keyof T]: K extends (typeof OPAQUE)[number]
        ? T[K]
        : K extends (typeof INSTANTS)[number]
          ? IsoInstant<T[K]>
          : Iso<T[K]>;
    }
  : T;
type IsoInstant<T> = T extends number ? string : Iso<T>;

/** The same plain data with its instants as ISO 8601. */
export function iso<T>(value: T): Iso<T> {
  return shownOf(value) as Iso<T>;
}

function shownOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shownOf(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => [
    name,
    shown(name, member),
  ]);
  return Object.fromEntries(members);
}

function shown(name: string, member: unknown): unknown {
  if (opaque.has(name)) return member;
  return typeof member === 'number' && instants.has(name) ? new Date(member).toISOString() : shownOf(member);
}
