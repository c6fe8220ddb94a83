import { certificateAuthority, describeWith, waitUntil } from '#libs/testing';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { assertBounded, attackedRows, boundary, boundRows } from './bounds.fixture.js';
import { connectPacket, LIMITS, openBroker, openRaw, openSocket, type RawClient } from './broker.fixture.js';

describe('the table of bounds', () => {
  it('has an attacker for every row, and a row for every attacker', () => {
    const rows = boundRows();
    expect(rows.length).toBeGreaterThan(0);
    expect([...attackedRows()].sort()).toEqual([...rows].sort());
  });

  boundary('One message', 'a PUBLISH of 256 MiB on each of four connections', async () => {
    await using fixture = await openBroker({ maxPayloadBytes: 10_000 });
    await fixture.account('writer', ['free/#'], []);
    await assertBounded(fixture, async () => {
      const topic = Buffer.from('free/x');
      const header = [0x32, 0xff, 0xff, 0xff, 0x7f, 0, topic.length];
      const chunk = Buffer.alloc(65_536, 'x');
      const clients: RawClient[] = [];
      for (let i = 0; i < 4; i++) {
        const client = await openRaw(fixture.broker.port());
        await client.connect(`writer-${i}`, fixture.passwords['writer']!, { username: 'writer' });
        client.send(Buffer.concat([Buffer.from(header), topic, Buffer.from([0, 7])]));
        clients.push(client);
      }
      // 32 MiB of each, then silence.
      await Promise.all(
        clients.map(async ({ socket }) => {
          for (let i = 0; i < 512; i++) if (!socket.write(chunk)) await once(socket, 'drain');
        }),
      );
      return () => clients.forEach(({ socket }) => socket.destroy());
    });
  });

  boundary('Refusals of a second', 'unknown names, a new one each time', async () => {
    await using fixture = await openBroker({ refusalsEveryMs: 60_000 });
    await assertBounded(fixture, async () => {
      for (let i = 0; i < 600; i++) {
        const client = await openRaw(fixture.broker.port());
        client.send(connectPacket(`Nobody ${i}`, 'x'));
        await client.closed;
      }
      return () => undefined;
    });
  });

  boundary('Names of those who guess', 'user names of 60,000 bytes', async () => {
    await using fixture = await openBroker();
    await assertBounded(fixture, async () => {
      for (let i = 0; i < 1_000; i++) {
        const client = await openRaw(fixture.broker.port());
        client.send(connectPacket('x', 'x', { username: `${i}`.padStart(60_000, 'x') }));
        await client.closed;
      }
      return () => undefined;
    });
    expect(await fixture.refused('unknown_device')).toBe(1_000);
    // None of them was a guess.
    expect(await fixture.refused('limit_exceeded')).toBe(0);
  });

  boundary(
    'Clients that are not known yet',
    'three quarters of a CONNECT, and a PUBLISH instead of one',
    async () => {
      const arrivingBytes = { perAddress: 4_000_000, total: 8_000_000 };
      await using fixture = await openBroker({
        maxPayloadBytes: 200_000,
        limits: { bounds: { ...LIMITS.bounds, arrivingBytes } },
      });
      await assertBounded(fixture, async () => {
        const chunk = Buffer.alloc(50_000, 'x');
        const begun = Buffer.concat([
          connectPacket('x', 'x', { username: 'x'.repeat(60_000) }).subarray(0, 48_000),
        ]);
        const publish = Buffer.concat([
          Buffer.from([0x32, 0x80, 0xf1, 0x04, 0, 1, 0x78]),
          chunk,
          chunk,
          chunk,
        ]);
        const clients: Socket[] = [];
        for (let i = 0; i < 400; i++) {
          const client = await openSocket(fixture.broker.port());
          client.write(i % 2 === 0 ? begun : publish);
          clients.push(client);
        }
        await waitUntil('many are refused', async () => (await fixture.refused('limit_exceeded')) >= 280);
        return () => clients.forEach((socket) => socket.destroy());
      });
      await fixture.rejection('limit_exceeded', 'arrivingBytes');
    },
  );

  boundary('Clients that are not known yet', 'CONNECT and 30,000 PINGREQ in one write', async () => {
    const arrivingBytes = { perAddress: 4_000_000, total: 8_000_000 };
    await using fixture = await openBroker({ limits: { bounds: { ...LIMITS.bounds, arrivingBytes } } });
    const pings = Array<Buffer>(30_000).fill(Buffer.from([0xc0, 0]));
    await assertBounded(fixture, async () => {
      const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(fixture.broker.port())));
      clients.forEach(({ socket }, i) =>
        socket.write(Buffer.concat([connectPacket(`nobody-${i}`, 'wrong'), ...pings])),
      );
      // A password that is wrong takes time; most are closed before its turn comes.
      await Promise.all(clients.map(({ closed }) => closed));
      return () => undefined;
    });
    await fixture.rejection('limit_exceeded', 'arrivingBytes');
  });

  boundary('Connections before CONNECT', 'idle ones', async () => {
    await using fixture = await openBroker({ limits: { pending: 100 } });
    await assertBounded(fixture, async () => {
      const clients: Socket[] = [];
      for (let i = 0; i < 500; i++) clients.push(await openSocket(fixture.broker.port()));
      await waitUntil(
        'those beyond are refused',
        async () => (await fixture.refused('limit_exceeded')) === 400,
      );
      return () => clients.forEach((socket) => socket.destroy());
    });
    await fixture.rejection('limit_exceeded', 'pending (');
  });

  boundary('WebSocket frames that are not whole', '15 MiB of a frame of 16 MiB, then silence', async () => {
    const arrivingBytes = { perAddress: 4_000_000, total: 8_000_000 };
    await using fixture = await openBroker({
      ports: { tcp: 0, ws: 0 },
      maxPayloadBytes: 262_144,
      limits: { bounds: { ...LIMITS.bounds, arrivingBytes } },
    });
    await assertBounded(fixture, async () => {
      const chunk = Buffer.alloc(65_536, 'x');
      const sockets = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const socket = await openSocket(fixture.broker.port('ws'));
          socket.write(UPGRADE);
          await new Promise((resolve) => socket.once('data', resolve));
          socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x01, 0, 0, 0, 1, 2, 3, 4]));
          for (let i = 0; i < 240 && !socket.destroyed; i++)
            if (!socket.write(chunk))
              await new Promise((resolve) => {
                socket.once('drain', resolve);
                socket.once('close', resolve);
              });
          return socket;
        }),
      );
      return () => sockets.forEach((socket) => socket.destroy());
    });
    await fixture.rejection('limit_exceeded', 'arrivingBytes: a WebSocket frame');
    // Its neighbours at the address are served: what comes in one go is free.
    await (await fixture.connect('udara-01', {}, 'ws')).publishAsync(TOPIC, Buffer.alloc(50_000), { qos: 1 });
  });

  boundary('PROXY headers', 'a header that does not end', async () => {
    await using fixture = await openBroker({ trustedProxies: ['127.0.0.2'], limits: { pending: 100 } });
    await assertBounded(fixture, async () => {
      const sockets: Socket[] = [];
      const header = Buffer.concat([
        Buffer.from('0d0a0d0a000d0a515549540a2111', 'hex'),
        Buffer.from([0x10, 0]),
        Buffer.alloc(4_000),
      ]);
      for (let i = 0; i < 300; i++) {
        const socket = connectSocket({
          ...{ port: fixture.broker.port(), host: '127.0.0.1', localAddress: '127.0.0.2' },
        });
        socket.on('error', () => undefined);
        socket.write(header);
        sockets.push(socket);
      }
      await waitUntil('those beyond are refused', async () => (await fixture.refused('malformed')) === 200);
      return () => sockets.forEach((socket) => socket.destroy());
    });
  });

  boundary('Passwords that wait to be computed', 'longer than any, and many', async () => {
    await using fixture = await openBroker({
      limits: { authFailuresPerAddress: { perSecond: 0.001, burst: 3 } },
    });
    await assertBounded(fixture, async () => {
      const clients: RawClient[] = [];
      for (let i = 0; i < 300; i++) {
        const client = await openRaw(fixture.broker.port());
        client.send(connectPacket(`nobody-${i}`, `${i}`.padStart(i % 2 === 0 ? 60_000 : 1_000, 'x')));
        clients.push(client);
      }
      await Promise.all(clients.map(({ closed }) => closed));
      return () => undefined;
    });
    await fixture.rejection('limit_exceeded', 'authFailuresPerAddress');
  });
});

describeWith(['openssl'], 'the table of bounds, over TLS', () => {
  boundary('TLS handshakes', 'half a ClientHello, then silence', async () => {
    using authority = certificateAuthority('Pantau test CA');
    const server = authority.issue('localhost', { names: ['IP:127.0.0.1'] });
    await using fixture = await openBroker({
      ports: { tcp: 0, tls: 0 },
      tls: { ...server, clientCertificate: 'optional' },
      limits: { pendingPerAddress: 150 },
    });
    await assertBounded(fixture, async () => {
      // A record as long as one can be, of which the end does not come.
      const hello = Buffer.concat([Buffer.from('1603014000010003fffc0303', 'hex'), Buffer.alloc(16_000)]);
      const sockets = await Promise.all(
        Array.from({ length: 400 }, async () => {
          const socket = await openSocket(fixture.broker.port('tls'));
          socket.write(hello);
          return socket;
        }),
      );
      await waitUntil(
        'those beyond are refused',
        async () => (await fixture.refused('limit_exceeded')) >= 200,
      );
      return () => sockets.forEach((socket) => socket.destroy());
    });
  });
});

const UPGRADE =
  'GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n';
const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
