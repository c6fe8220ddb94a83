/** Which mapping reads a topic, as far as the topic itself says. */
export interface Mapped {
  /** With the level of the device as a named part. */
  readonly pattern: string;
  /** What the topic calls the device. */
  readonly name: string;
}

/** @param name - what the topic calls the device, where a mapping has found that already; otherwise its last level but one */
export function mappedOf(topic: string, name: string | undefined): Mapped {
  const levels = topic.split('/');
  const at =
    name === undefined
      ? Math.max(0, levels.length - 2)
      : levels.findIndex((one) => one.toLowerCase() === name);
  const pattern = levels.map((level, i) => (i === at ? '{device}' : level)).join('/');
  return { pattern, name: (name ?? levels[at] ?? '').toLowerCase() };
}

/** What a pattern calls the device in a topic that it fits; undefined where it names none. */
export function nameIn(pattern: string, topic: string): string | undefined {
  const at = pattern.split('/').indexOf('{device}');
  return at < 0 ? undefined : topic.split('/')[at]?.toLowerCase();
}
