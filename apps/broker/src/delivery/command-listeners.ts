import { filterMatches, formatCommandTopic } from '#libs/telemetry';
import type { Client } from 'aedes';
import type { MqttPrincipal } from '../session/access.js';
import { internalsOf } from '../session/aedes-client.js';
import type { ClientSessions } from '../session/sessions.js';

type DeviceAndSite = readonly [device: string, site: string];

/** Knows which connection gets the commands of a device: its own, or that of a gateway that speaks for it. */
export class CommandListeners {
  readonly #byDevice = new Map<string, Client>();
  /** Connections that speak for other devices. */
  readonly #gateways = new Set<Client>();

  constructor(
    private readonly sessions: ClientSessions,
    /** A connection listens for the commands of the device from now on. */
    private readonly onListening: (client: Client, device: string) => void,
  ) {}

  of(device: string): Client | undefined {
    return this.#byDevice.get(device);
  }

  /** The connection has subscribed to something. */
  subscribed(client: Client): void {
    const principal = this.sessions.of(client)?.principal;
    if (principal?.kind !== 'device') return;
    if (principal.speaksFor.size > 0) this.#gateways.add(client);
    this.#listenFor(client, principal, spokenFor(principal));
  }

  /** The connection is over. @param isLast - whether nobody shall get its commands, since the broker stops */
  left(client: Client, isLast: boolean): void {
    this.#gateways.delete(client);
    this.handOver(client, isLast);
  }

  /** Commands that the connection does not listen for any more go to a gateway that does. */
  handOver(client: Client, isLast: boolean): void {
    const principal = this.sessions.of(client)?.principal;
    if (principal === undefined) return;
    const free = spokenFor(principal).filter(
      ([device, site]) =>
        this.#byDevice.get(device) === client && (client.closed || !listensForCommands(client, site, device)),
    );
    for (const [device] of free) this.#byDevice.delete(device);
    if (free.length === 0 || isLast) return;
    for (const gateway of this.#gateways) {
      const other = this.sessions.of(gateway)?.principal;
      if (gateway === client || other?.kind !== 'device') continue;
      const own = free.filter(([device]) => device === other.id || other.speaksFor.has(device));
      this.#listenFor(gateway, other, own);
    }
  }

  /** Gives the commands of those devices to a connection that subscribes to them. */
  #listenFor(client: Client, principal: MqttPrincipal, devices: readonly DeviceAndSite[]): void {
    for (const [device, site] of devices) {
      if (!listensForCommands(client, site, device)) continue;
      const known = this.#byDevice.get(device);
      // Its own connection goes before a gateway's.
      if (known !== undefined && known !== client && principal.id !== device) continue;
      this.#byDevice.set(device, client);
      this.onListening(client, device);
    }
  }
}

/** The devices whose commands a client may listen for, with their sites: few, however many others are connected. */
function spokenFor(principal: MqttPrincipal): DeviceAndSite[] {
  if (principal.kind !== 'device') return [];
  return [[principal.id, principal.site], ...principal.speaksFor];
}

function listensForCommands(client: Client, site: string, device: string): boolean {
  const topic = formatCommandTopic(site, device, '-');
  return Object.keys(internalsOf(client).subscriptions).some((filter) => filterMatches(filter, topic));
}
