import {
  alertsControllerAlerts,
  devicesControllerDevice,
  healthControllerHealth,
  stationsControllerList,
  type DeviceNow,
} from '../../../client';
import { answer } from '../../api/call';
import { ALL, allDevices, allSites } from '../../api/registry';
import { resource, type Resource } from '../../api/resource.svelte';
import { live } from '../../live/live.svelte';

const MINUTE = 60_000;
/** News of devices is shown once in so long. */
const SHOWN_EVERY = 500;
/** A device of which something is heard is asked for again no more often. */
const ASKED_EVERY = 3_000;

/** What a `readings` event says. */
interface ReadingsNews {
  readonly device: string;
  readonly ts: string;
  readonly receivedAt: string;
  readonly readings: readonly {
    readonly parameter: string;
    readonly value: number;
    readonly flag: 1 | 2 | 3 | 4 | 9;
  }[];
}

/** The regency as it is now: read once, then followed; a device of which something is heard is read alone. */
export class Regency {
  readonly sites = resource(allSites);
  readonly stations = resource(
    async (signal) => (await answer(stationsControllerList({ query: { limit: ALL }, signal }))).items,
    // An index is computed anew every hour, and ends when its data do.
    5 * MINUTE,
  );
  readonly devices: Resource<readonly DeviceNow[]> = resource(allDevices, 5 * MINUTE);
  readonly alerts = resource(
    async (signal) =>
      (await answer(alertsControllerAlerts({ query: { state: 'firing', limit: 100 }, signal }))).items,
    5 * MINUTE,
  );
  readonly health = resource(async (signal) => answer(healthControllerHealth({ signal })), MINUTE);
  readonly #changed = new Map<string, DeviceNow>();
  readonly #asked = new Map<string, ReturnType<typeof setTimeout>>();

  constructor() {
    $effect(() => {
      const shown = setInterval(() => this.#show(), SHOWN_EVERY);
      const off = live.on(['readings', 'presence', 'alerts', 'figures'], (topic, data) => {
        if (topic === 'alerts') this.alerts.soon();
        else if (topic === 'figures') this.stations.soon();
        else if (topic === 'readings') this.#read(data as ReadingsNews);
        else this.#ask((data as { device: string }).device);
      });
      return () => {
        off();
        clearInterval(shown);
        for (const timer of this.#asked.values()) clearTimeout(timer);
      };
    });
  }

  #read({ device: id, ts, receivedAt, readings }: ReadingsNews): void {
    const known = this.#changed.get(id) ?? this.devices.data?.find((device) => device.id === id);
    if (known === undefined) {
      this.devices.soon();
      return;
    }
    const latest: Record<string, { ts: string; value: number; flag: 1 | 2 | 3 | 4 | 9 }> = {
      ...known.latest,
    };
    for (const { parameter, value, flag } of readings)
      if ((latest[parameter]?.ts ?? '') <= ts) latest[parameter] = { ts, value, flag };
    const lastSeen = (known.lastSeen ?? '') > receivedAt ? known.lastSeen : receivedAt;
    this.#changed.set(id, { ...known, latest, ...(lastSeen === undefined ? {} : { lastSeen }) });
  }

  #ask(device: string): void {
    if (this.#asked.has(device)) return;
    const ask = async (): Promise<void> => {
      this.#asked.delete(device);
      const now = await answer(devicesControllerDevice({ path: { device } })).catch(() => undefined);
      if (now !== undefined) this.#changed.set(device, now);
    };
    this.#asked.set(
      device,
      setTimeout(() => void ask(), ASKED_EVERY),
    );
  }

  #show(): void {
    const { data } = this.devices;
    if (this.#changed.size === 0 || data === undefined) return;
    this.devices.changed(data.map((device) => this.#changed.get(device.id) ?? device));
    this.#changed.clear();
  }
}
