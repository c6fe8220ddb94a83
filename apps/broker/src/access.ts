import type { Device, ServiceAccount } from '#libs/identity';
import { filterCovers, filterMatches, ownFilters, parseTopic, type DeviceTopic } from '#libs/telemetry';

/** Who a connection belongs to, and what it may do. */
export type Principal =
  | {
      readonly kind: 'device';
      readonly id: string;
      readonly site: string;
      /** Site of every device that it speaks for. */
      readonly speaksFor: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'account'; readonly id: string; readonly account: ServiceAccount };

export function devicePrincipal({ id, site }: Device, others: readonly Device[]): Principal {
  return { kind: 'device', id, site, speaksFor: new Map(others.map((other) => [other.id, other.site])) };
}

/**
 * What writing to the topic means.
 *
 * @returns a device's topic; `routed` for a topic of a service account that is no device's; undefined when it is not allowed
 */
export function publishTarget(principal: Principal, name: string): DeviceTopic | 'routed' | undefined {
  const topic = parseTopic(name);
  if (principal.kind === 'device') {
    if (topic === undefined) return undefined;
    const own = topic.device === principal.id && topic.site === principal.site;
    return own || principal.speaksFor.get(topic.device) === topic.site ? topic : undefined;
  }
  // `$` topics are the server's own, whatever a filter says.
  if (name.startsWith('$')) return undefined;
  if (!principal.account.publish.some((filter) => filterMatches(filter, name))) return undefined;
  return topic ?? 'routed';
}

/** Whether everything the filter matches may be read. */
export function maySubscribe(principal: Principal, filter: string): boolean {
  return readable(principal).some((granted) => filterCovers(granted, filter));
}

/** Whether a message of this topic may be read. */
export function mayRead(principal: Principal, topic: string): boolean {
  return readable(principal).some((granted) => filterMatches(granted, topic));
}

function readable(principal: Principal): readonly string[] {
  if (principal.kind === 'account') return principal.account.subscribe;
  return [
    ...ownFilters(principal.site, principal.id),
    ...Array.from(principal.speaksFor, ([device, site]) => ownFilters(site, device)).flat(),
  ];
}
