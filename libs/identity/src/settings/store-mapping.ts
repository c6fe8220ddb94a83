import type { Codec } from '#libs/telemetry';
import type { Registry } from '../registry.js';
import { assertMappable } from './assert-mappable.js';
import { storedMappingOf, type MappingBody } from './mapping-body.js';
import type { StoredMapping } from './topic-settings.js';

/**
 * Makes or changes a mapping that fits the others.
 *
 * @param look - at what it replaces; where it throws, nothing is changed
 * @throws PantauError `USAGE` with the member that is wrong
 */
export async function storeMapping(
  registry: Registry,
  codecs: ReadonlyMap<string, Codec>,
  id: string,
  body: MappingBody,
  look: (before: StoredMapping | undefined) => void = () => undefined,
): Promise<StoredMapping> {
  const mapping = storedMappingOf(id, body);
  const { device, aliases = {} } = mapping;
  const named = [...new Set([...Object.values(aliases), ...(device === undefined ? [] : [device])])];
  const known = await registry.devicesNamed(named);
  const unknown = named.filter((_name, i) => known[i] === undefined);
  await registry.setMapping(id, mapping, (before, all) => {
    look(before);
    const others = all.filter((one) => one.id !== id);
    assertMappable(mapping, others, unknown, codecs);
  });
  return mapping;
}
