import type { ListedMapping } from '../../../../client';
import { nameIn } from '../mapping';

/** What somebody chose for a topic that nobody reads. */
export interface Choice {
  readonly pattern: string;
  readonly codec: string;
  /** The topic, in which the pattern may name the device. */
  readonly topic: string;
  readonly sender: string;
  readonly device: string;
  /** Of times without a zone; empty where the arrival counts. */
  readonly utcOffset: string;
}

export interface MappingBody {
  readonly pattern: string;
  readonly codec: string;
  readonly device?: string;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly utcOffset?: string;
}

/** What of a mapping matters here. */
export type Known = Omit<ListedMapping, 'origin'>;

/** The mapping that was made on this page of the same pattern: what is chosen joins it. */
export const sameOf = <M extends Known>(pattern: string, all: readonly M[]): M | undefined =>
  all.find((one) => one.id !== undefined && one.pattern === pattern);

/** Whether the configuration file has the pattern: then a name alone is added here. */
export const isInFile = (pattern: string, all: readonly Known[]): boolean =>
  all.some((one) => one.id === undefined && one.pattern === pattern);

/** What is sent: names that others gave stay. @param all - that are there */
export function bodyOf(choice: Choice, all: readonly Known[]): MappingBody {
  const { pattern, codec, topic, sender, device, utcOffset } = choice;
  const same = sameOf(pattern, all);
  const name = nameIn(pattern, topic);
  const aliases = { ...same?.aliases, ...(name === undefined || name === device ? {} : { [name]: device }) };
  return {
    ...{ pattern, codec },
    // Without a name in the topic it is the sender's own, or of the one device.
    ...(name === undefined && device !== sender ? { device } : {}),
    ...(Object.keys(aliases).length === 0 ? {} : { aliases }),
    ...(utcOffset === '' || isInFile(pattern, all) ? {} : { utcOffset }),
  };
}

const LONGEST = 50;

/** An id that nobody has, made of the pattern so that people know it again. */
export function newId(pattern: string, all: readonly Known[]): string {
  const levels = pattern.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const plain = levels.slice(0, LONGEST).replaceAll(/^-+|-+$/g, '') || 'topik';
  const taken = new Set(all.map(({ id }) => id));
  for (let n = 1; ; n++) {
    const id = n === 1 ? plain : `${plain}-${n}`;
    if (!taken.has(id)) return id;
  }
}
