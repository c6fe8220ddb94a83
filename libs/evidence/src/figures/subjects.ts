import type { Device, Registry, Site } from '#libs/identity';
import { REGENCY, subjectName, type IndicatorDefinition, type Subject } from '#libs/indicators';
import { nearestName, PantauError } from '#libs/kernel';

/** A subject of figures with the devices of which they are made. */
export interface SubjectDevices {
  readonly name: string;
  readonly subject: Subject;
  readonly devices: readonly Device[];
}

/** What is known of a site and a device now. */
interface Known {
  readonly sites: readonly Site[];
  readonly devices: readonly Device[];
}

export async function knownOf(registry: Registry): Promise<Known> {
  return { sites: await registry.sites(), devices: await registry.devices() };
}

/** What there is an indicator of: everything of its kind that has a device for it. */
export function subjectsOf(
  { subject: kind, deviceKind }: IndicatorDefinition,
  { sites, devices }: Known,
): SubjectDevices[] {
  const counted = devices.filter((device) => (deviceKind ?? device.kind) === device.kind);
  const districts = new Map(sites.map(({ id, district }) => [id, district]));
  const subjects = new Map<string, SubjectDevices & { devices: Device[] }>();
  for (const device of counted) {
    const subject = subjectIn(kind, device, districts.get(device.site));
    if (subject === undefined) continue;
    const name = subjectName(subject);
    const known = subjects.get(name);
    if (known === undefined) subjects.set(name, { name, subject, devices: [device] });
    else known.devices.push(device);
  }
  return [...subjects.values()];
}

/** @returns undefined for a site of which no district is recorded */
function subjectIn(
  kind: IndicatorDefinition['subject'],
  { site, id: device }: Device,
  district: string | undefined,
): Subject | undefined {
  switch (kind) {
    case 'device':
      return { site, device };
    case 'site':
      return { site };
    case 'district':
      return district === undefined ? undefined : { district };
    case 'regency':
      return { regency: REGENCY };
  }
}

/** @throws PantauError `DEVICE_UNKNOWN`, `SITE_UNKNOWN` or `NOT_FOUND`, with the name that was meant perhaps */
export function subjectNamed(definition: IndicatorDefinition, name: string, known: Known): SubjectDevices {
  const { key, subject: kind, deviceKind = '' } = definition;
  const subjects = subjectsOf(definition, known);
  const found = subjects.find((subject) => subject.name === name);
  if (found !== undefined) return found;
  const registered = kind === 'device' ? known.devices : kind === 'site' ? known.sites : [];
  const names = registered.length > 0 ? registered.map(({ id }) => id) : subjects.map((one) => one.name);
  if (names.includes(name)) {
    const of = known.devices.find(({ id }) => id === name)?.kind;
    const why =
      kind === 'device' ? `is of kind ${of ?? ''}` : `has no ${deviceKind} device`.replace('  ', ' ');
    throw new PantauError('NOT_FOUND', `${key} is not computed for ${name}, which ${why}.`);
  }
  const nearest = nearestName(name, names);
  const message = `no ${kind} ${name}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
  throw new PantauError(CODES[kind], nearest === undefined ? `${message}.` : message, {
    fields: [{ field: 'subject', message }],
  });
}

const CODES = {
  device: 'DEVICE_UNKNOWN',
  site: 'SITE_UNKNOWN',
  district: 'NOT_FOUND',
  regency: 'NOT_FOUND',
} as const;
