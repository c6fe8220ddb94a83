import type { Millis } from '#libs/kernel';

/** How topics of another maker's devices are read: which codec, and whose message it is. */
export interface TopicMapping {
  /** Of one that people made while Pantau runs; those of the configuration have none. */
  readonly id?: string | undefined;
  /** Topic with named parts in braces, each one whole level: `tele/{device}/SENSOR`. */
  readonly pattern: string;
  readonly codec: string;
  /** The device, when the topic does not name it; without both it is the device that publishes. */
  readonly device?: string | undefined;
  /** Pantau's device id by the maker's name, in lower case. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** How far the local time of these devices is ahead of UTC, where they state one without a zone. */
  readonly utcOffsetMs?: Millis | undefined;
}

type Aliases = Readonly<Record<string, string>>;

/** A topic that a mapping reads. */
export interface MappedTopic {
  readonly mapping: TopicMapping;
  /** Values of the named parts. */
  readonly parts: Readonly<Record<string, string>>;
  /** Device id that the topic or the mapping names; undefined means the publisher. */
  readonly device: string | undefined;
}

const PART = /^\{([a-z][a-zA-Z0-9]*)\}$/;

/** What is wrong with a pattern; undefined when nothing is. */
export function patternFault(pattern: string): string | undefined {
  const levels = pattern.split('/');
  const names = levels.flatMap((level) => PART.exec(level)?.[1] ?? []);
  if (pattern === '' || pattern.startsWith('$') || pattern.startsWith('pantau/'))
    return 'expected a topic outside of pantau/ and $';
  if (levels.some((level) => /[+#\u0000]/.test(level) || (/[{}]/.test(level) && !PART.test(level))))
    return 'expected levels that are text or one named part, such as tele/{device}/SENSOR';
  if (new Set(names).size < names.length) return 'expected each named part once';
  return undefined;
}

/**
 * Mappings in the order in which they are tried: the configuration's first. One that people made of a pattern that the configuration has,
 * for the same codec, adds its aliases to that one and changes none of them.
 */
export class TopicMappings {
  readonly #compiled: readonly { readonly mapping: TopicMapping; readonly levels: readonly string[] }[];

  constructor(mappings: readonly TopicMapping[]) {
    const own = mappings.filter(({ id }) => id !== undefined);
    const tried = mappings.map((mapping) => {
      if (mapping.id !== undefined) return mapping;
      const added = own.filter(
        ({ pattern, codec }) => pattern === mapping.pattern && codec === mapping.codec,
      );
      const aliases = Object.assign({}, ...added.map((one) => one.aliases), mapping.aliases) as Aliases;
      return added.length === 0 ? mapping : { ...mapping, aliases };
    });
    this.#compiled = tried.map((mapping) => ({ mapping, levels: mapping.pattern.split('/') }));
  }

  match(topic: string): MappedTopic | undefined {
    if (this.#compiled.length === 0) return undefined;
    const levels = topic.split('/');
    for (const { mapping, levels: pattern } of this.#compiled) {
      const parts = matchLevels(pattern, levels);
      if (parts === undefined) continue;
      const named = parts['device'];
      const device = mapping.device ?? (named === undefined ? undefined : deviceOf(mapping, named));
      return { mapping, parts, device };
    }
    return undefined;
  }
}

/** Pantau's id of a device by the name that its maker gives it: an alias, or the name itself in lower case. */
export function deviceOf({ aliases = {} }: Pick<TopicMapping, 'aliases'>, name: string): string {
  const key = name.toLowerCase();
  return (Object.hasOwn(aliases, key) ? aliases[key] : undefined) ?? key;
}

/**
 * Pantau's id of a sensor that is mapped to a device of its own: by `{device id}/{sensor}`, which tells the sensors of several
 * devices apart, or by its name alone.
 */
export function deviceOfSensor(
  mapping: Pick<TopicMapping, 'aliases'> | undefined,
  housing: string,
  sensor: string,
): string | undefined {
  const aliases = mapping?.aliases;
  if (aliases === undefined) return undefined;
  const name = sensor.toLowerCase();
  const key = Object.hasOwn(aliases, `${housing}/${name}`) ? `${housing}/${name}` : name;
  return Object.hasOwn(aliases, key) ? aliases[key] : undefined;
}

function matchLevels(
  pattern: readonly string[],
  levels: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== levels.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    const found = levels[i] ?? '';
    const name = PART.exec(expected)?.[1];
    if (name === undefined ? expected !== found : found === '') return undefined;
    if (name !== undefined) parts[name] = found;
  }
  return parts;
}
