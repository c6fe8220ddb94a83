import { fastify } from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { closeInTime } from './close-in-time.js';

describe('a server', () => {
  it('closes although somebody holds a connection and asks nothing, and answers before what was asked', async () => {
    const server = fastify();
    closeInTime(server);
    let answer: (text: string) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    server.get('/', () => {
      asked();
      return new Promise<string>((resolve) => (answer = resolve));
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as AddressInfo;
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    const ended = once(silent, 'close');
    const request = fetch(`http://127.0.0.1:${port}/`);
    await isAsked;

    const closed = server.close();
    await ended;
    answer('there');
    expect(await (await request).text()).toBe('there');
    await closed;
  });
});
