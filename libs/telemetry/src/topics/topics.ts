/** The last level of a device's topic: what kind of message it carries. */
export const TOPIC_KINDS = ['telemetry', 'heartbeat', 'status', 'event', 'result'] as const;
export type TopicKind = (typeof TOPIC_KINDS)[number];

/** Site and device ids: lower-case letters, digits and hyphens, 1 to 63 characters, beginning with a letter or digit. */
export const ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/;

const PREFIX = 'pantau/v1/';

export interface DeviceTopic {
  readonly site: string;
  readonly device: string;
  readonly kind: TopicKind;
}

/** Builds `pantau/v1/{site}/{device}/{kind}`. */
export function formatTopic({ site, device, kind }: DeviceTopic): string {
  return `${PREFIX}${site}/${device}/${kind}`;
}

/** Where a device listens for its commands, each on a topic of its own: `pantau/v1/{site}/{device}/cmd/{command id}`. */
export function formatCommandTopic(site: string, device: string, command: string): string {
  return `${PREFIX}${site}/${device}/cmd/${command}`;
}

/** Where a device finds its configuration, retained. */
export function formatConfigTopic(site: string, device: string): string {
  return `${PREFIX}${site}/${device}/config`;
}

/** The filters that a device may subscribe to, and everything below them. */
export function ownFilters(site: string, device: string): readonly string[] {
  return [`${PREFIX}${site}/${device}/cmd/#`, `${PREFIX}${site}/${device}/config`];
}

/** Reads a topic name; undefined when it is not of the grammar `pantau/v1/{site}/{device}/{kind}`. */
export function parseTopic(topic: string): DeviceTopic | undefined {
  if (!topic.startsWith(PREFIX)) return undefined;
  const [site, device, kind, ...rest] = topic.slice(PREFIX.length).split('/');
  if (site === undefined || device === undefined || kind === undefined || rest.length > 0) return undefined;
  if (!ID_PATTERN.test(site) || !ID_PATTERN.test(device)) return undefined;
  const known = TOPIC_KINDS.find((candidate) => candidate === kind);
  return known === undefined ? undefined : { site, device, kind: known };
}
