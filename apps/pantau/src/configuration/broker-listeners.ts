import type { GatewayDependencies } from '#apps/gateway';
import type { LoadedConfig } from '#libs/platform';
import { httpIntakeListener } from './http-intake-options.js';

type Listening = Pick<LoadedConfig, 'mqtt' | 'http' | 'httpIntake' | 'metrics'>;

/** Where Pantau listens for devices, for those who set them up; a port that the system chooses is known to nobody beforehand. */
export function brokerListeners(config: Listening): GatewayDependencies['brokerListeners'] {
  const { mqtt, http } = config;
  // Without a port of their own devices post to the one of the API.
  const { listener: posting = http } = httpIntakeListener(config);
  const listeners = [
    { protocol: 'mqtt', host: mqtt.host, port: mqtt.port },
    { protocol: 'mqtts', host: mqtt.host, port: mqtt.tls?.port },
    { protocol: 'ws', host: mqtt.host, port: mqtt.ws?.port },
    { protocol: 'wss', host: mqtt.host, port: mqtt.wss?.port },
    { protocol: 'http', host: posting.host, port: posting.port },
  ] as const;
  return listeners.flatMap(({ protocol, host, port }) =>
    port === undefined || port === false || port === 0 ? [] : [{ protocol, port, isLocal: isLoopback(host) }],
  );
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host);
