import { messageOf, nearestName, PantauError } from '#libs/kernel';
import { aliasFault, type Codec, type TopicMapping } from '#libs/telemetry';
import { isStoredMapping, type StoredMapping } from './topic-settings.js';

const MOST_STORED = 1_000;

/**
 * That a mapping can stand beside the others.
 *
 * @param others - that are in force, without what it replaces
 * @param unknown - devices that it names and that are not registered
 * @throws PantauError `USAGE` with the member that is wrong
 */
export function assertMappable(
  mapping: StoredMapping,
  others: readonly TopicMapping[],
  unknown: readonly string[],
  codecs: ReadonlyMap<string, Codec>,
): void {
  const { pattern, codec, device, aliases = {} } = mapping;
  if (!codecs.has(codec)) {
    const nearest = nearestName(codec, [...codecs.keys()]);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw wrong('codec', `no codec ${codec}${hint}`, `tidak ada codec ${codec}`);
  }
  const [missing] = unknown;
  if (missing !== undefined)
    throw wrong(
      device === missing ? 'device' : 'aliases',
      `no device ${missing} is registered`,
      `perangkat ${missing} tidak terdaftar`,
    );
  if (device !== undefined && Object.keys(aliases).length > 0)
    throw wrong(
      'device',
      'all of the topic is of one device, or aliases say which it is: not both',
      'semua dari satu perangkat, atau alias yang menyebutnya: tidak keduanya',
    );
  const same = others.filter((one) => one.pattern === pattern);
  const stored = same.find((one) => one.id !== undefined);
  if (stored !== undefined)
    throw wrong(
      'pattern',
      `the mapping ${stored.id} has it: change that one`,
      `sudah ada di pemetaan ${stored.id}: ubah yang itu`,
    );
  const [configured] = same;
  if (configured !== undefined) assertAdds(mapping, configured);
  const fault = aliasFault([...others, mapping], codecs);
  if (fault !== undefined)
    throw wrong(
      'aliases',
      `${fault.names.join(' and ')} both name the device ${fault.device}: two sensors in one series`,
      `${fault.names.join(' dan ')} sama-sama menamai perangkat ${fault.device}: dua sensor dalam satu deret`,
    );
  if (others.filter((one) => one.id !== undefined).length >= MOST_STORED)
    throw wrong('pattern', `there are ${MOST_STORED} already`, `sudah ada ${MOST_STORED}`);
}

/**
 * That what people made still fits the configuration file, which may have changed since.
 *
 * @throws PantauError `CONFIG_INVALID` with both, and what to do
 */
export function assertStillMappable(
  configured: readonly TopicMapping[],
  held: readonly TopicMapping[],
  codecs: ReadonlyMap<string, Codec>,
): void {
  const stored = held.filter(isStoredMapping);
  for (const mapping of stored) {
    const others = [...configured, ...stored.filter((one) => one !== mapping)];
    try {
      assertMappable(mapping, others, [], codecs);
    } catch (cause) {
      throw new PantauError(
        'CONFIG_INVALID',
        `mappings: what pantau.yaml says does not fit the mapping ${mapping.id} (${mapping.pattern}) that was made on the page, in the API or by the command: ${reasonOf(cause)}`,
        {
          remedy: `Change mappings in pantau.yaml, or remove the other one: pantau mapping remove ${mapping.id}`,
          cause,
        },
      );
    }
  }
}

function reasonOf(cause: unknown): string {
  return messageOf(cause).replace(/^USAGE: /, '');
}

/** To one of the file it may add names that the file does not have. */
function assertAdds(
  { codec, device, aliases = {}, utcOffsetMs }: StoredMapping,
  configured: TopicMapping,
): void {
  if (codec !== configured.codec)
    throw wrong(
      'codec',
      `pantau.yaml reads this pattern with ${configured.codec}`,
      `pantau.yaml membaca pola ini dengan ${configured.codec}`,
    );
  const members = { device, utcOffset: utcOffsetMs };
  const [member] = Object.entries(members).find(([, value]) => value !== undefined) ?? [];
  if (member !== undefined || configured.device !== undefined)
    throw wrong(
      member ?? 'pattern',
      'pantau.yaml has this pattern: aliases alone can be added to it here',
      'pola ini ada di pantau.yaml: di sini hanya alias yang dapat ditambahkan',
    );
  const held = Object.keys(aliases).find((name) => Object.hasOwn(configured.aliases ?? {}, name));
  if (held !== undefined)
    throw wrong('aliases', `pantau.yaml says what ${held} is`, `pantau.yaml sudah menyebut ${held}`);
}

function wrong(field: string, message: string, indonesian: string): PantauError {
  return new PantauError('USAGE', `${field}: ${message}.`, { fields: [{ field, message, indonesian }] });
}
