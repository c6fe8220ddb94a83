import type { Device, ServiceAccount } from '#libs/identity';
import {
  filterCovers,
  filterMatches,
  ownFilters,
  parseTopic,
  type SetAsideReason,
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
export type MqttPrincipal =
  | {
      readonly kind: 'device';
      readonly id: string;
      readonly site: string;
      /** Site of every device that it speaks for. */
      readonly speaksFor: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'account'; readonly id: string; readonly account: ServiceAccount };

export function devicePrincipal({ id, site }: Device, others: readonly Device[]): MqttPrincipal {
  return { kind: 'device', id, site, speaksFor: new Map(others.map((other) => [other.id, other.site])) };
}

/**
 * What writing to the topic means.
 *
 * @returns a device's topic; `routed` for a topic of a service account that is no device's; undefined when it is not allowed.
 * Of an account's topic the site is undefined where only the registry knows it.
 */
export function publishTarget(
  principal: MqttPrincipal,
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

/**
 * What a topic is that {@link publishTarget} does not give to its sender: somebody else's, Pantau's or the server's own
 * (`topic_not_allowed`), or one that nobody mapped (`not_mapped`), as makers' devices publish beside their readings.
 *
 * @param isRegistered - whether there is a device of that id
 */
export async function foreignTopic(
  principal: MqttPrincipal,
  name: string,
  mappings: TopicMappings,
  isRegistered: (device: string) => Promise<boolean>,
): Promise<{ readonly reason: SetAsideReason; readonly detail: string; readonly unknownName?: string }> {
  const refused = (detail: string) => ({ reason: 'topic_not_allowed', detail }) as const;
  if (name.startsWith('$')) return refused('topics that begin with $ are the server’s own');
  if (principal.kind === 'account') {
    return refused('the account’s filters do not include it, or it is the topic of no registered device');
  }
  const own = `pantau/v1/${principal.site}/${principal.id}/`;
  if (name.startsWith('pantau/')) {
    const rest = name.startsWith(own) ? name.slice(own.length) : undefined;
    return rest === undefined || rest === 'config' || rest.startsWith('cmd/')
      ? refused(`a device writes below its own topic ${own}`)
      : { reason: 'not_mapped', detail: `Pantau reads no topic of that name below ${own}` };
  }
  const device = mappings.match(name)?.device;
  if (device === undefined) return { reason: 'not_mapped', detail: 'no mapping reads this topic' };
  return (await isRegistered(device))
    ? refused(`a mapping gives it to the device ${device}, and ${principal.id} does not speak for it`)
    : {
        reason: 'not_mapped',
        detail: `a mapping reads the name ${device}, and no such device is registered`,
        unknownName: device,
      };
}

/** Whether everything the filter matches may be read. */
export function maySubscribe(principal: MqttPrincipal, filter: string): boolean {
  return readable(principal).some((granted) => filterCovers(granted, filter));
}

/** Whether a message of this topic may be read. */
export function mayRead(principal: MqttPrincipal, topic: string): boolean {
  return readable(principal).some((granted) => filterMatches(granted, topic));
}

function readable(principal: MqttPrincipal): readonly string[] {
  if (principal.kind === 'account') return principal.account.subscribe;
  return [
    ...ownFilters(principal.site, principal.id),
    ...Array.from(principal.speaksFor, ([device, site]) => ownFilters(site, device)).flat(),
  ];
}
