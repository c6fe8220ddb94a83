import { messageOf, PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `GET /metrics` in Prometheus' text format, on a port of its own so that it need not be open where the API is.
 *
 * @returns undefined when it is turned off
 */
export async function startMetricsServer(
  { host, port }: LoadedConfig['metrics'],
  text: () => Promise<string>,
): Promise<MetricsServer | undefined> {
  if (port === false) return undefined;
  const server = createServer((request, response) => {
    const say = (status: number, words: string, headers: OutgoingHttpHeaders = {}): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(words);
    };
    if (request.url?.split('?')[0] !== '/metrics') {
      say(404, 'Metrics are at /metrics.\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      say(405, `${request.method}: GET or HEAD.\n`, { allow: 'GET, HEAD' });
      return;
    }
    text().then(
      (body) => say(200, body, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
      (error: unknown) => say(503, `${messageOf(error)}\n`),
    );
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new PantauError('PORT_IN_USE', `the metrics port ${port} on ${host} cannot be listened on.`, {
      remedy: 'Choose another one, or false: metrics.port in pantau.yaml or PANTAU_METRICS_PORT.',
      cause,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
