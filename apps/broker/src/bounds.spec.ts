import { once } from 'node:events';
import { assertBounded, attackedRows, boundary, boundRows } from './bounds.fixture.js';
import { connectPacket, openBroker, openRaw, type RawClient } from './broker.fixture.js';

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
});
