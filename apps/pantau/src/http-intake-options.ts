import { loadCodecs } from '#devices/codecs';
import type { HttpIntakeListener, HttpIntakeOptions } from '#apps/http-intake';
import { timePolicyOf } from '#apps/ingest';
import type { LoadedConfig } from '#libs/platform';
import { localSocket } from './local-socket.js';
import { systemClock, type Engines } from './engines.js';

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
    listener: httpIntakeListener(config),
    onListening,
    timePolicy: timePolicyOf(config.ingest),
    codecs: new Set((await loadCodecs()).keys()),
    authFailures: authFailuresPerAddress,
    messagesPerDevice,
  };
}

const LAST_PORT = 65_535;

/** Where devices post; the next port after that of the API unless the configuration says so. */
export function httpIntakeListener({
  http,
  httpIntake: { host = http.host, port },
}: Pick<LoadedConfig, 'http' | 'httpIntake'>): HttpIntakeListener | undefined {
  if (port !== undefined) return port === false ? undefined : { host, port, isChosen: true };
  if (http.port === 0) return { host, port: 0, isChosen: false };
  return http.port === LAST_PORT ? undefined : { host, port: http.port + 1, isChosen: false };
}
