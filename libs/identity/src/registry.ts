import type { Journal } from '#libs/journal';
import { canonicalJson, nearestName, PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { Namespace, StateStore } from '#libs/state';
import { randomUUID } from 'node:crypto';
import { DEVICES, REGISTRY, SITES } from './namespaces.js';
import { deviceSchema, siteSchema, type Device, type DeviceService, type Site } from './registered.js';
import type { TopicMapping } from '#libs/telemetry';
import { Settings } from './settings/settings.js';
import { isStoredMapping, MAPPINGS, withStored, type StoredMapping } from './settings/topic-settings.js';

const REVISION = 'revision';
/** Ids on each side of a name that nobody has. */
const LOOKED_AROUND = 500;

type Check<T> = (before: T | undefined) => void;

/** For who decided by what was read: refuses to write over what somebody else changed since. */
export function unchangedSince<T extends Site | Device>(read: T | undefined): Check<T> {
  return (now) => {
    if (canonicalJson(now ?? null) === canonicalJson(read ?? null)) return;
    throw new PantauError('CHANGED_MEANWHILE', 'somebody changed it at the same time.', {
      remedy: 'Do it again.',
    });
  };
}

/**
 * The sites and devices that Pantau knows. A device that is not here cannot connect and creates no series. What is here is
 * what the stream `settings` says of now; what it said before stays in {@link settings}.
 */
export class Registry {
  readonly settings: Settings;

  /** @param log - where changes are recorded */
  constructor(
    private readonly state: StateStore,
    private readonly log?: { readonly journal: Journal; readonly clock: Clock },
  ) {
    this.settings = new Settings(state, log);
  }

  /** @param check - looks at what is there, and throws when it shall not be changed; nobody changes it in between */
  async putSite(site: Site, check: Check<Site> = () => undefined): Promise<void> {
    await this.#write('site', SITES, siteSchema.parse(site), check);
  }

  /**
   * @param intervalFrom - since when its interval was true already, if that is earlier than now: old figures are computed with it from
   * then on
   * @param check - as that of {@link putSite}
   * @throws PantauError `SITE_UNKNOWN` when its site is not registered, `OUT_OF_RANGE` for a time that is not over
   */
  async putDevice(
    device: Device,
    intervalFrom?: UtcMillis,
    check: Check<Device> = () => undefined,
  ): Promise<void> {
    await this.assertSite(device.site);
    const { id, intervalMs } = device;
    if (intervalFrom !== undefined && !(intervalFrom < (this.log?.clock.now() ?? 0)))
      throw new PantauError(
        'OUT_OF_RANGE',
        `the interval of ${id} cannot be corrected from a time to come.`,
        {
          remedy: 'Leave the time out: a change holds from now on.',
        },
      );
    const correction =
      intervalFrom === undefined ? undefined : { name: `interval/${id}`, from: intervalFrom, intervalMs };
    await this.#write('device', DEVICES, deviceSchema.parse(device), check, correction);
  }

  /** Records whether a device is in service, which figures and alerts must know: it owes nothing while it is not. */
  async putService(id: string, service: DeviceService): Promise<void> {
    const name = `access/${id}`;
    const before = (await this.settings.last<DeviceService>(name))?.value ?? 'open';
    if (before !== service)
      await this.settings.declare(name, service, [REGISTRY.put(REVISION, randomUUID())], async () => 'open');
  }

  /** How topics of other makers' devices are read, in the order in which that is tried: of the configuration, and what people made. */
  async mappings(): Promise<readonly TopicMapping[]> {
    return (await this.settings.last<readonly TopicMapping[]>(MAPPINGS))?.value ?? [];
  }

  /**
   * Makes, changes or removes a mapping of topics.
   *
   * @param mapping - nothing for one that is removed
   * @param check - as that of {@link putSite}, with all that there are
   */
  async setMapping(
    id: string,
    mapping: StoredMapping | undefined,
    check: (before: StoredMapping | undefined, all: readonly TopicMapping[]) => void = () => undefined,
  ): Promise<void> {
    const next = (held: readonly TopicMapping[] = []): readonly TopicMapping[] => {
      const stored = held.filter(isStoredMapping);
      check(
        stored.find((one) => one.id === id),
        held,
      );
      const others = stored.filter((one) => one.id !== id);
      const after = mapping === undefined ? others : [...others, mapping];
      const configured = held.filter((one) => !isStoredMapping(one));
      return withStored(
        configured,
        after.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      );
    };
    await this.settings.change(MAPPINGS, next, [REGISTRY.put(REVISION, randomUUID())]);
  }

  /** @throws PantauError `SITE_UNKNOWN` with the nearest name when the site is not registered */
  async assertSite(id: string): Promise<void> {
    if ((await this.site(id)) !== undefined) return;
    const nearest = nearestName(id, await this.idsNear('site', id));
    throw new PantauError('SITE_UNKNOWN', `no site ${id} is registered.`, {
      remedy: `${nearest === undefined ? '' : `Did you mean ${nearest}? `}Add a new one: pantau site add <id> --name <name>, or list them: pantau site list.`,
    });
  }

  /**
   * Another text after every change, of any process: what was computed from all sites and devices holds while it stays the
   * same. Read it before them, so that a change in between is noticed the next time.
   */
  async revision(): Promise<string | undefined> {
    return this.state.get(REGISTRY, REVISION);
  }

  async site(id: string): Promise<Site | undefined> {
    return this.state.get(SITES, id);
  }

  async device(id: string): Promise<Device | undefined> {
    return this.state.get(DEVICES, id);
  }

  async sites(): Promise<Site[]> {
    return (await this.state.list(SITES)).map(({ value }) => value);
  }

  async devices(): Promise<Device[]> {
    return (await this.state.list(DEVICES)).map(({ value }) => value);
  }

  /** Sites in the order of their ids. @param after - only those behind this id @param limit - at most so many */
  async sitesAfter(after: string | undefined, limit: number): Promise<Site[]> {
    return this.#behind(SITES, after, limit);
  }

  /** Devices, as {@link sitesAfter}. */
  async devicesAfter(after: string | undefined, limit: number): Promise<Device[]> {
    return this.#behind(DEVICES, after, limit);
  }

  /** In the order of the ids; undefined for those that are not registered. */
  async devicesNamed(ids: readonly string[]): Promise<(Device | undefined)[]> {
    return this.state.getMany(DEVICES, ids);
  }

  /** Ids that stand around a name: among them is the one that was meant, unless it begins quite differently in a large registry. */
  async idsNear(kind: 'site' | 'device', name: string): Promise<string[]> {
    return kind === 'site' ? this.#around(SITES, name) : this.#around(DEVICES, name);
  }

  async #around<T>(namespace: Namespace<T>, name: string): Promise<string[]> {
    const before = await this.state.list(namespace, { to: name, limit: LOOKED_AROUND, reverse: true });
    const behind = await this.state.list(namespace, { from: name, limit: LOOKED_AROUND });
    return [...before.reverse(), ...behind].map(({ key }) => key);
  }

  async #behind<T>(namespace: Namespace<T>, after: string | undefined, limit: number): Promise<T[]> {
    const range = after === undefined ? { limit } : { from: after, limit: limit + 1 };
    const found = await this.state.list(namespace, range);
    return found
      .filter(({ key }) => key !== after)
      .slice(0, limit)
      .map(({ value }) => value);
  }

  async #write<T extends Site | Device>(
    kind: string,
    namespace: Namespace<T>,
    value: T,
    check: Check<T>,
    correction?: Parameters<Settings['declare']>[4],
  ): Promise<void> {
    const project = [
      namespace.put(value.id, value),
      // Not a number: two processes that count on from the same one would write the same.
      REGISTRY.put(REVISION, randomUUID()),
    ];
    const before = async (): Promise<T | undefined> => {
      const row = await this.state.get(namespace, value.id);
      check(row);
      return row;
    };
    await this.settings.declare(`${kind}/${value.id}`, value, project, before, correction);
  }
}
