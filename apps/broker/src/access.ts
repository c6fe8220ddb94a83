import type { Device, ServiceAccount } from '#libs/identity';
import {
  filterCovers,
  filterMatches,
  ownFilters,
  parseTopic,
  type TopicKind,
  type TopicMappings,
} from '#libs/telemetry';

/** Whose message a publish is. */
export interface PublishTarget {
  readonly site: string;
  readonly device: string;
  readonly kind: TopicKind | 'foreign';
}

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
 * @returns a device's topic; `routed` for a topic of a service account that is no device's; undefined when it is not allowed.
 * Of an account's topic the site is undefined where only the registry knows it.
 */
export function publishTarget(
  principal: Principal,
  name: string,
  mappings: TopicMappings,
): (Omit<PublishTarget, 'site'> & { readonly site: string | undefined }) | 'routed' | undefined {
  const topic = parseTopic(name);
  const mapped = topic === undefined ? mappings.match(name) : undefined;
  if (principal.kind === 'device') {
    const device = topic?.device ?? (mapped === undefined ? undefined : (mapped.device ?? principal.id));
    if (device === undefined) return undefined;
    const site = device === principal.id ? principal.site : principal.speaksFor.get(device);
    if (site === undefined || (topic !== undefined && topic.site !== site)) return undefined;
    return { site, device, kind: topic?.kind ?? 'foreign' };
  }
  // `$` topics are the server's own, whatever a filter says.
  if (name.startsWith('$')) return undefined;
  if (!principal.account.publish.some((filter) => filterMatches(filter, name))) return undefined;
  if (topic !== undefined) return topic;
  return mapped?.device === undefined
    ? 'routed'
    : { site: undefined, device: mapped.device, kind: 'foreign' };
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
