import type { GatewayDependencies } from '#apps/gateway';
import type { LoadedConfig } from '#libs/platform';

/** Where the broker listens, for those who set up devices; a port that the system chooses is known to nobody beforehand. */
export function brokerListeners({ mqtt }: LoadedConfig): GatewayDependencies['brokerListeners'] {
  const ports = [
    { protocol: 'mqtt', port: mqtt.port },
    { protocol: 'mqtts', port: mqtt.tls?.port },
    { protocol: 'ws', port: mqtt.ws?.port },
    { protocol: 'wss', port: mqtt.wss?.port },
  ] as const;
  return ports.flatMap(({ protocol, port }) =>
    port === undefined || port === false || port === 0 ? [] : [{ protocol, port }],
  );
}
