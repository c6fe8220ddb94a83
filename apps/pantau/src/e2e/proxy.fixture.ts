import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A reverse proxy that shows a server below a path. */
export interface Proxy extends AsyncDisposable {
  readonly origin: string;
  /** Origin of the server behind it. */
  target: string;
  /** Ends every connection, as a proxy does with one that has lasted too long. */
  cut(): void;
}

/** @param keepsPath - whether the server is asked for the path as browsers see it */
export async function startProxy(path: string, keepsPath: boolean): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const proxy = { target: '' };
  const server = createServer((request, response) => {
    const { url = '' } = request;
    if (url !== path && !url.startsWith(`${path}/`)) {
      response.writeHead(404).end();
      return;
    }
    handOn(request, response, `${proxy.target}${keepsPath ? url : url.slice(path.length) || '/'}`);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.assign(proxy, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  });
}

function handOn(request: IncomingMessage, response: ServerResponse, url: string): void {
  const { remoteAddress = '' } = request.socket;
  const headers = { ...request.headers, 'x-forwarded-for': remoteAddress, 'x-forwarded-proto': 'http' };
  const onwards = httpRequest(url, { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onwards.on('error', () => response.destroy());
  response.on('close', () => onwards.destroy());
  request.pipe(onwards);
}
