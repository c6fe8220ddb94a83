import type { Codec } from '../codec.js';
import type { TopicMapping } from './topic-mapping.js';

/** Two names of one device: two sensors in one series. */
export interface AliasFault {
  readonly device: string;
  readonly names: readonly [string, string];
}

/** The first device that two aliases name; each name of a codec of `quantities` is one quantity of it. */
export function aliasFault(
  mappings: readonly Pick<TopicMapping, 'codec' | 'aliases'>[],
  codecs: ReadonlyMap<string, Pick<Codec, 'names'>>,
): AliasFault | undefined {
  const known = new Map<string, string>();
  for (const { codec, aliases = {} } of mappings) {
    const names = codecs.get(codec)?.names;
    if (names === 'quantities') continue;
    // A camera may have one name at its recorder and another one in its own events.
    const kind = names === 'cameras' ? codec : 'air';
    for (const [name, device] of Object.entries(aliases)) {
      const key = `${kind} ${device}`;
      const other = known.get(key) ?? name;
      known.set(key, other);
      if (other !== name) return { device, names: [other, name] };
    }
  }
  return undefined;
}
