import type { BridgeOptions, BrokerOptions } from '#apps/broker';
import { configFile, type BridgeConfig, type LoadedConfig } from '#libs/platform';
import { TopicMappings } from '#libs/telemetry';

/** The broker's options as the configuration gives them. */
export function brokerOptions(config: LoadedConfig): BrokerOptions {
  const {
    host,
    port,
    tls,
    ws,
    wss,
    certificate,
    limits,
    webSocketPath,
    trustedProxies,
    maxPayloadBytes,
    deny,
  } = config.mqtt;
  const { connectTimeout, minKeepAlive, maxKeepAlive, takeovers, sessionExpiry, stalledAfter, ...counts } =
    limits;
  const file = (name: string): string => configFile(config, name);
  return {
    host,
    ports: {
      ...(port === false ? {} : { tcp: port }),
      ...(tls === undefined ? {} : { tls: tls.port }),
      ...(ws === undefined ? {} : { ws: ws.port }),
      ...(wss === undefined ? {} : { wss: wss.port }),
    },
    tls:
      certificate === undefined
        ? undefined
        : {
            key: file(certificate.key),
            cert: file(certificate.cert),
            clientCa: certificate.clientCa === undefined ? undefined : file(certificate.clientCa),
            clientCrl: certificate.clientCrl === undefined ? undefined : file(certificate.clientCrl),
            clientCertificate: certificate.clientCertificate,
          },
    webSocketPath,
    trustedProxies,
    maxPayloadBytes,
    deny,
    limits: {
      ...counts,
      connectTimeoutMs: connectTimeout,
      stalledAfterMs: stalledAfter,
      minKeepAliveMs: minKeepAlive,
      maxKeepAliveMs: maxKeepAlive,
      takeovers: { count: takeovers.count, withinMs: takeovers.within, holdMs: takeovers.hold },
      sessionExpiryMs: sessionExpiry,
    },
    livenessBeatMs: config.livenessBeat,
    mappings: new TopicMappings(config.mappings),
  };
}

/** The bridge's options as the configuration gives them. */
export function bridgeOptions(bridge: BridgeConfig, config: LoadedConfig): BridgeOptions {
  const { username, password, deviceProperty, ...rest } = bridge;
  const { livenessBeat, mqtt } = config;
  return {
    ...rest,
    username,
    password,
    deviceProperty,
    maxPayloadBytes: mqtt.maxPayloadBytes,
    livenessBeatMs: livenessBeat,
    mappings: new TopicMappings(config.mappings),
  };
}
