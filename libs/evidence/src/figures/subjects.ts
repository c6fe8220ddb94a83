import type { Device, Registry, Site } from '#libs/identity';
import { REGENCY, subjectName, type IndicatorDefinition, type Subject } from '#libs/indicators';
import { compareTexts, nearestName, PantauError } from '#libs/kernel';

/** A subject of figures with the devices of which they are made. */
export interface SubjectDevices {
  readonly name: string;
  readonly subject: Subject;
  readonly devices: readonly Device[];
}

/** What there is an indicator of now, and how it is found. */
export class Subjects {
  readonly #of = new Map<string, ReadonlyMap<string, SubjectDevices>>();

  constructor(
    private readonly sites: readonly Site[],
    private readonly devices: readonly Device[],
  ) {}

  static async read(registry: Registry): Promise<Subjects> {
    return new Subjects(await registry.sites(), await registry.devices());
  }

  /** Everything of the kind of an indicator that has a device for it, by its name, in the order of the names. */
  of({ subject: kind, deviceKind }: IndicatorDefinition): ReadonlyMap<string, SubjectDevices> {
    const place = `${kind}/${deviceKind ?? ''}`;
    let subjects = this.#of.get(place);
    if (subjects === undefined) {
      const found = subjectsOf({ subject: kind, deviceKind }, this.sites, this.devices);
      subjects = new Map(
        found.toSorted((a, b) => compareTexts(a.name, b.name)).map((subject) => [subject.name, subject]),
      );
      this.#of.set(place, subjects);
    }
    return subjects;
  }

  /** @throws PantauError `DEVICE_UNKNOWN`, `SITE_UNKNOWN` or `NOT_FOUND`, with the name that was meant perhaps */
  named(definition: IndicatorDefinition, name: string): SubjectDevices {
    const found = this.of(definition).get(name);
    if (found !== undefined) return found;
    const { key, subject: kind, deviceKind = '' } = definition;
    const registered = kind === 'device' ? this.devices : kind === 'site' ? this.sites : [];
    const names = registered.length > 0 ? registered.map(({ id }) => id) : [...this.of(definition).keys()];
    if (names.includes(name)) {
      const of = this.devices.find(({ id }) => id === name)?.kind;
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
}

function subjectsOf(
  {
    subject: kind,
    deviceKind,
  }: Pick<IndicatorDefinition, 'subject'> & {
    readonly deviceKind: IndicatorDefinition['deviceKind'] | undefined;
  },
  sites: readonly Site[],
  devices: readonly Device[],
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

const CODES = {
  device: 'DEVICE_UNKNOWN',
  site: 'SITE_UNKNOWN',
  district: 'NOT_FOUND',
  regency: 'NOT_FOUND',
} as const;
