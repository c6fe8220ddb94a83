import { loadCodecs } from '#devices/codecs';
import type { HttpIntakeOptions } from '#apps/http-intake';
import { timePolicyOf } from '#apps/ingest';
import type { LoadedConfig } from '#libs/platform';
import { localSocket } from '../processes/local-socket.js';
import { systemClock, type Engines } from '../storage/engines.js';

/** How what devices post to the port of the API gets to the intake. */
export function uplinkHandOn({ data }: LoadedConfig): Pick<HttpIntakeOptions, 'socket'> {
  return { socket: localSocket(data, 'http-intake') };
}

/** The intake's options as the configuration gives them. */
export async function httpIntakeOptions(
  config: LoadedConfig,
  { journal, registry, credentials, deviceTokens }: Engines,
  onListening: HttpIntakeOptions['onListening'],
): Promise<HttpIntakeOptions> {
  const { limits, maxPayloadBytes } = config.mqtt;
  const { authFailuresPerAddress, messagesPerDevice } = limits;
  return {
    ...uplinkHandOn(config),
    ...{ journal, registry, credentials, tokens: deviceTokens, clock: systemClock },
    maxPayloadBytes,
    maxBatchBytes: 32 * 1024 * 1024,
    ...httpIntakeListener(config),
    onListening,
    timePolicy: timePolicyOf(config.ingest),
    codecs: new Set((await loadCodecs()).keys()),
    authFailures: authFailuresPerAddress,
    messagesPerDevice,
  };
}

const LAST_PORT = 65_535;

/** Where devices post; the next port after that of the API unless the configuration says so. */
export function httpIntakeListener(
  config: Pick<LoadedConfig, 'http' | 'httpIntake' | 'mqtt' | 'metrics'>,
): Pick<HttpIntakeOptions, 'listener' | 'noListener'> {
  const { http, httpIntake } = config;
  if (httpIntake.port === false) return { listener: undefined };
  const host = httpIntake.host ?? http.host;
  if (httpIntake.port !== undefined) return { listener: { host, port: httpIntake.port, isChosen: true } };
  const isChosen = httpIntake.host !== undefined;
  if (http.port === 0) return { listener: { host, port: 0, isChosen } };
  const none = (why: string): Pick<HttpIntakeOptions, 'listener' | 'noListener'> => ({
    listener: undefined,
    noListener: `Devices that post have no port of their own: ${why}. Choose one: httpIntake.port in pantau.yaml or PANTAU_HTTP_INTAKE_PORT.`,
  });
  if (http.port === LAST_PORT) return none(`there is none after http.port (${LAST_PORT})`);
  const port = http.port + 1;
  const owner = isChosen ? undefined : ownerOf(port, config);
  return owner === undefined ? { listener: { host, port, isChosen } } : none(`${owner} has port ${port}`);
}

/** The setting that gives this port to something else. */
function ownerOf(
  port: number,
  { mqtt, metrics }: Pick<LoadedConfig, 'mqtt' | 'metrics'>,
): string | undefined {
  const ports = {
    'mqtt.port': mqtt.port,
    'mqtt.tls.port': mqtt.tls?.port,
    'mqtt.ws.port': mqtt.ws?.port,
    'mqtt.wss.port': mqtt.wss?.port,
    'metrics.port': metrics.port,
  };
  return Object.entries(ports).find(([, other]) => other === port)?.[0];
}
