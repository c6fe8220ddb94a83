import { filterMatches } from '#libs/telemetry';
import type { Client } from 'aedes';
import type { Qos } from './persistence/stored-packet.js';

/** A member of Aedes' client that its types do not name. */
interface Subscribed {
  readonly subscriptions: Readonly<Record<string, { readonly qos: Qos }>>;
}

/** The highest QoS of a client's subscriptions that match. */
export function grantedQos(client: Client, topic: string): Qos {
  const { subscriptions } = client as unknown as Subscribed;
  let highest: Qos = 0;
  for (const [filter, { qos }] of Object.entries(subscriptions))
    if (qos > highest && filterMatches(filter, topic)) highest = qos;
  return highest;
}
