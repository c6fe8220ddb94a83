import { waitUntil } from '#libs/testing';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { assertBounded, boundary } from '../bounds.fixture.js';
import { connectPacket, LIMITS, openBroker, openSocket, type BrokerFixture } from '../broker.fixture.js';

const MIB = 1_048_576;
const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
const UPGRADE =
  'GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n';

/** The header of a PUBLISH of QoS 1 on the topic, and its payload. */
function publish(topic: string, payload: Buffer, messageId = 1): Buffer {
  const name = Buffer.from(topic);
  const rest = 2 + name.length + 2 + payload.length;
  const length = [rest & 0x7f, (rest >> 7) & 0x7f, (rest >> 14) & 0x7f].map((n, i) => (i < 2 ? n | 0x80 : n));
  return Buffer.concat([
    Buffer.from([0x32, ...length, 0, name.length]),
    name,
    Buffer.from([messageId >> 8, messageId & 0xff]),
    payload,
  ]);
}

/** A binary frame, masked with zeros. */
function frame(payload: Buffer, isLast = true, opcode = 2): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 6 : 14);
  header[0] = (isLast ? 0x80 : 0) | opcode;
  if (length < 126) header[1] = 0x80 | length;
  else {
    header[1] = 0xff;
    header.writeUInt32BE(length, 6);
  }
  return Buffer.concat([header, payload]);
}

async function said(socket: Socket, bytes: Buffer | string): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.once('data', () => resolve());
    socket.write(bytes);
  });
}

async function writer(fixture: BrokerFixture, id: string, listener: 'tcp' | 'ws' = 'tcp'): Promise<Socket> {
  const socket = await openSocket(fixture.broker.port(listener));
  const connect = connectPacket(id, fixture.passwords['writer']!, { username: 'writer' });
  if (listener === 'ws') await said(socket, UPGRADE);
  await said(socket, listener === 'ws' ? frame(connect) : connect);
  return socket;
}

async function opened(stalledAfterMs = 60_000): Promise<BrokerFixture> {
  const unfinishedBytes = { perPrincipal: 4 * MIB, total: 8 * MIB };
  const fixture = await openBroker({
    ports: { tcp: 0, ws: 0 },
    maxPayloadBytes: 262_144,
    limits: { stalledAfterMs, bounds: { ...LIMITS.bounds, unfinishedBytes } },
  });
  await fixture.account('writer', ['free/#'], []);
  return fixture;
}

describe('what is not whole after CONNACK', () => {
  boundary('Packets that are not whole', 'most of a PUBLISH on each connection of an account', async () => {
    await using fixture = await opened();
    const most = publish('free/x', Buffer.alloc(262_144)).subarray(0, 250_000);
    await assertBounded(
      fixture,
      async () => {
        const sockets: Socket[] = [];
        for (let i = 0; i < 100; i++) {
          const socket = await writer(fixture, `writer-${i}`);
          socket.write(most);
          sockets.push(socket);
        }
        await waitUntil('many are closed', () => sockets.filter(({ destroyed }) => destroyed).length >= 80);
        return () => sockets.forEach((socket) => socket.destroy());
      },
      { marginBytes: 12_000_000 },
    );
    expect(await fixture.rejection('limit_exceeded', 'unfinishedBytes')).toMatchObject({ device: 'writer' });
    // Another one has room.
    const device = await fixture.connect('udara-01');
    await device.publishAsync(TOPIC, Buffer.alloc(200_000), { qos: 1 });
  });

  boundary(
    'WebSocket frames that are not whole',
    'the beginning of a small frame on each connection',
    async () => {
      await using fixture = await opened();
      const begun = frame(publish('free/x', Buffer.alloc(62_000))).subarray(0, 60_000);
      await assertBounded(
        fixture,
        async () => {
          const sockets: Socket[] = [];
          for (let i = 0; i < 250; i++) {
            const socket = await writer(fixture, `writer-${i}`, 'ws');
            socket.write(begun);
            sockets.push(socket);
          }
          await waitUntil(
            'many are closed',
            () => sockets.filter(({ destroyed }) => destroyed).length >= 170,
          );
          return () => sockets.forEach((socket) => socket.destroy());
        },
        { marginBytes: 10_000_000 },
      );
      const device = await fixture.connect('udara-01', {}, 'ws');
      await device.publishAsync(TOPIC, Buffer.alloc(200_000), { qos: 1 });
    },
  );

  boundary('WebSocket frames that are not whole', 'one that holds 12,000 packets', async () => {
    await using fixture = await opened();
    const [small, last] = [publish(TOPIC, Buffer.from('x')), publish(TOPIC, Buffer.alloc(0), 7)];
    small[0] = 0x30;
    const socket = await openSocket(fixture.broker.port('ws'));
    await said(socket, UPGRADE);
    await said(socket, frame(connectPacket('udara-01', fixture.passwords['udara-01']!)));
    await assertBounded(fixture, async () => {
      await said(socket, frame(Buffer.concat([...Array<Buffer>(12_000).fill(small), last])));
      return () => undefined;
    });
    expect((await fixture.entries('uplink')).length).toBeGreaterThan(12_000);
    socket.destroy();
  });

  it('keeps its order when it is taken in parts', async () => {
    await using fixture = await opened();
    const socket = await writer(fixture, 'writer-1', 'ws');
    let bytes = 0;
    socket.on('data', ({ length }: Buffer) => (bytes += length));
    // Of an odd length, so that parts end within packets.
    const packets = Array.from({ length: 1_000 }, (_, i) =>
      publish('free/x', Buffer.alloc(2_500 + (i % 60)), i + 1),
    );
    socket.write(frame(Buffer.concat(packets)));
    await waitUntil('all are acknowledged', () => socket.destroyed || bytes >= 1_000 * 4);
    expect(socket.destroyed).toBe(false);
    expect(await fixture.refused('malformed')).toBe(0);
    socket.destroy();
  });

  it('is ended when it does not go on, and may be as slow as it likes', async () => {
    await using fixture = await opened(1_000);
    await fixture.account('slow', ['free/#'], []);
    const bytes = publish('free/x', Buffer.alloc(30_000));
    for (const listener of ['tcp', 'ws'] as const) {
      const stalled = await writer(fixture, 'writer-1', listener);
      const slow = await openSocket(fixture.broker.port(listener));
      // Its keep-alive is over before its message is here; meanwhile it cannot send a PINGREQ.
      const connect = connectPacket('slow', fixture.passwords['slow']!, { keepalive: 1 });
      if (listener === 'ws') await said(slow, UPGRADE);
      await said(slow, listener === 'ws' ? frame(connect) : connect);
      const answer = once(slow, 'data');
      const message = listener === 'ws' ? frame(bytes) : bytes;
      stalled.write(message.subarray(0, 10_000));
      let sent = 0;
      const startedAt = performance.now();
      while (!stalled.destroyed || performance.now() - startedAt < 3_000) {
        expect(slow.destroyed).toBe(false);
        slow.write(message.subarray(sent, ++sent));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await fixture.rejection('limit_exceeded', 'stalledAfter');
      slow.write(message.subarray(sent));
      const [ack] = (await answer) as [Buffer];
      expect([...ack.subarray(-2)]).toEqual([0, 1]);
      slow.destroy();
    }
  });
});
