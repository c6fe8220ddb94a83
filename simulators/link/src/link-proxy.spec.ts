import { seededRandom } from '#libs/kernel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { LinkProxy } from './link-proxy.js';

/** Answers every byte with itself. */
async function echoServer(): Promise<{ server: Server; port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

async function withLink(run: (link: LinkProxy, client: Socket) => Promise<void>): Promise<void> {
  const { server, port, sockets } = await echoServer();
  await using link = await LinkProxy.open({ target: { host: '127.0.0.1', port }, random: seededRandom(1) });
  const client = connect({ host: '127.0.0.1', port: link.port });
  client.on('error', () => undefined);
  await once(client, 'connect');
  try {
    await run(link, client);
  } finally {
    client.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Resolves when the socket is closed, by a reset too. */
async function ended(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

async function roundTrip(client: Socket, text: string): Promise<number> {
  const startedAt = performance.now();
  let answer = '';
  client.write(text);
  for await (const piece of client.iterator({ destroyOnReturn: false })) {
    answer += String(piece);
    if (answer.length >= text.length) break;
  }
  expect(answer).toBe(text);
  return performance.now() - startedAt;
}

describe('a link', () => {
  it('carries every byte in order, delayed both ways', async () => {
    await withLink(async (link, client) => {
      await roundTrip(client, 'as it is');
      link.set({ delayMs: 60, jitterMs: 20 });
      // A lower bound: no machine is too fast for it.
      expect(await roundTrip(client, 'x'.repeat(10_000))).toBeGreaterThanOrEqual(119);
    });
  });

  it('lets no more through than its bandwidth', async () => {
    await withLink(async (link, client) => {
      link.set({ bytesPerSecond: 50_000 });
      expect(await roundTrip(client, 'x'.repeat(10_000))).toBeGreaterThanOrEqual(399);
    });
  });

  it('tells both ends of a cut', async () => {
    await withLink(async (link, client) => {
      await roundTrip(client, 'before');
      const closed = ended(client);
      link.cut();
      await closed;
      expect(client.destroyed).toBe(true);
    });
  });

  it('tells nobody of a half-open connection, and takes a new one', async () => {
    await withLink(async (link, client) => {
      await roundTrip(client, 'before');
      link.halfOpen();
      let heard = false;
      client.on('data', () => (heard = true)).write('into the void');
      const other = connect({ host: '127.0.0.1', port: link.port });
      await once(other, 'connect');
      // By the time the new connection has answered, the old one would have.
      await roundTrip(other, 'a new one');
      other.destroy();
      expect(heard).toBe(false);
      expect(client.destroyed).toBe(false);
    });
  });

  it('answers nobody while it is down, and whoever waited when it is up has to begin anew', async () => {
    await withLink(async (link, client) => {
      link.down();
      const waiting = connect({ host: '127.0.0.1', port: link.port });
      waiting.on('error', () => undefined);
      await once(waiting, 'connect');
      waiting.write('anybody?');
      const closed = Promise.all([ended(client), ended(waiting)]);
      link.up();
      await closed;
      const other = connect({ host: '127.0.0.1', port: link.port });
      await once(other, 'connect');
      await roundTrip(other, 'back');
      other.destroy();
    });
  });
});
