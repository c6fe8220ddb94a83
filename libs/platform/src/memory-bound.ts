import { totalmem } from 'node:os';

/** Of a connection with 40 messages in flight; an idle one has half of it (docs/configuration.md, Memory). */
export const CONNECTION_BYTES = 90_000;

/** Of `mqtt.limits.bounds`, those that bound what is in memory; the others bound what is on disk. */
export const BOUNDS_IN_MEMORY = [
  'subscriptionBytes',
  'waitingBytes',
  'willBytes',
  'topicCacheBytes',
  'arrivingBytes',
  'unfinishedBytes',
  'inProgressBytes',
] as const;

type Bounds = Readonly<
  Record<(typeof BOUNDS_IN_MEMORY)[number], { readonly total: number } & Readonly<Record<string, number>>>
>;

/** Of the configuration, what bounds peers. */
export interface PeersConfig {
  readonly mqtt: {
    readonly maxPayloadBytes: number;
    readonly limits: { readonly connections: number; readonly bounds: Bounds };
  };
}

/** What peers may take of the memory where their limits are not configured: half of it for connections, half for what is held beside them. */
export const PEERS_SHARE = 1 / 4;

/** Half of what the machine has, or the container: the other half is for its file cache, and for other programs. */
export function standardMemory(): number {
  // 0, or more than there is, where nothing constrains the process.
  const constrained = process.constrainedMemory() || Infinity;
  return Math.floor(Math.min(totalmem(), constrained) / 2);
}

/** What peers can make Pantau hold at most, in bytes, by the key that bounds it. */
export function heldForPeers({ mqtt: { limits } }: PeersConfig): Readonly<Record<string, number>> {
  const bounds = BOUNDS_IN_MEMORY.map((name) => [`bounds.${name}`, limits.bounds[name].total] as const);
  return Object.fromEntries([['connections', limits.connections * CONNECTION_BYTES], ...bounds]);
}

/**
 * The configuration with limits for peers that fit into the memory: those that nobody has set are lowered, down to what still lets the largest
 * message through. What is set stays.
 *
 * @param set - what the file and the environment say
 */
export function fittedToMemory<Config extends PeersConfig>(
  config: Config,
  memory: number,
  set: object,
): Config {
  const { limits, maxPayloadBytes } = config.mqtt;
  const share = (memory * PEERS_SHARE) / 2;
  const all = BOUNDS_IN_MEMORY.reduce((sum, name) => sum + limits.bounds[name].total, 0);
  const factor = Math.min(1, share / all);
  const fitted = (bytes: number, least: number): number =>
    Math.min(bytes, Math.max(Math.floor(bytes * factor), least));
  const bounds = Object.fromEntries(
    BOUNDS_IN_MEMORY.map((name) => {
      const quota = Object.entries(limits.bounds[name]).map(([member, bytes]) => [
        member,
        isSet(set, ['mqtt', 'limits', 'bounds', name, member])
          ? bytes
          : fitted(bytes, (member === 'total' ? 8 : 2) * maxPayloadBytes),
      ]);
      return [name, Object.fromEntries(quota)];
    }),
  );
  const connections = isSet(set, ['mqtt', 'limits', 'connections'])
    ? limits.connections
    : Math.min(limits.connections, Math.floor(share / CONNECTION_BYTES));
  return {
    ...config,
    mqtt: {
      ...config.mqtt,
      limits: { ...limits, connections, bounds: { ...limits.bounds, ...bounds } },
    },
  };
}

function isSet(set: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return set !== undefined;
  return typeof set === 'object' && set !== null && isSet((set as Record<string, unknown>)[name], rest);
}
