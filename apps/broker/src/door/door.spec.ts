import { waitUntil } from '#libs/testing';
import mqttPacket from 'mqtt-packet';
import { connect as connectSocket } from 'node:net';
import { connectPacket, event, openBroker, openRaw, type BrokerFixture } from '../broker.fixture.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';

async function guessWrongly(fixture: BrokerFixture, device: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++)
    await expect(fixture.connect(device, { password: `wrong ${i}` })).rejects.toThrow();
}

describe('wrong passwords from an address', () => {
  it.each([
    [3, 'authFailuresPerAddress'],
    [50, 'too many wrong passwords for "udara-01"'],
  ])(
    'never keep out who knows the right one: same name, same address, %d failures free',
    async (burst, why) => {
      await using fixture = await openBroker({
        limits: { authFailuresPerAddress: { perSecond: 0.001, burst } },
      });
      await (await fixture.connect('udara-01')).endAsync();
      await guessWrongly(fixture, 'udara-01', 12);
      for (let i = 0; i < 5; i++) await (await fixture.connect('udara-01')).endAsync();
      const password = await fixture.tokens.issue('udara-01', 60_000);
      await guessWrongly(fixture, 'udara-01', 1);
      await (await fixture.connect('udara-01', { password })).endAsync();
      // Who guesses has to wait.
      await fixture.rejection('limit_exceeded', why);
    },
  );

  it('are not what many first connections with right passwords are, all at once', async () => {
    await using fixture = await openBroker({
      limits: { authFailuresPerAddress: { perSecond: 0.001, burst: 3 } },
    });
    const devices = Array.from({ length: 20 }, (_, i) => `baru-${i}`);
    for (const id of devices)
      fixture.passwords[id] = await fixture.administration.addDevice({
        ...{ id, site: 'betung', kind: 'air', name: id, intervalMs: 60_000 },
      });
    const clients = await Promise.all(devices.map((id) => fixture.connect(id)));
    expect(clients.every(({ connected }) => connected)).toBe(true);
    expect(await fixture.refused('limit_exceeded')).toBe(0);
  });

  it('that all come at once are not all looked at', async () => {
    await using fixture = await openBroker({
      limits: { authFailuresPerAddress: { perSecond: 0.001, burst: 3 } },
    });
    await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => fixture.connect(`nobody-${i}`, { password: 'x' })),
    );
    // Two may be computed at a time when the last token goes.
    expect(await fixture.refused('unknown_device')).toBeLessThanOrEqual(5);
    expect(await fixture.refused('limit_exceeded')).toBeGreaterThanOrEqual(15);
  });

  it('do not keep a device at another address waiting until all of them are computed', async () => {
    await using fixture = await openBroker();
    const order: string[] = [];
    const knock = async (address: string, id: string, password: string): Promise<void> => {
      const socket = connectSocket({ port: fixture.broker.port(), host: '127.0.0.1', localAddress: address });
      socket.on('error', () => undefined);
      socket.write(connectPacket(id, password));
      await event(socket as never, 'data');
      order.push(id);
      socket.destroy();
    };
    await Promise.all([
      ...Array.from({ length: 40 }, (_, i) => knock('127.0.0.2', `nobody-${i}`, 'x')),
      knock('127.0.0.3', 'udara-01', fixture.passwords['udara-01']!),
    ]);
    expect(order.indexOf('udara-01')).toBeLessThan(10);
  });
});

describe('names and client ids', () => {
  it.each(['x'.repeat(60_000), 'Udara-01', 'udara\u0001', '', 'udara 01'])(
    'that cannot be one (case %#) are refused before anything is computed or kept',
    async (username) => {
      await using fixture = await openBroker({
        limits: { authFailuresPerAddress: { perSecond: 0.001, burst: 1 } },
      });
      for (let i = 0; i < 8; i++) {
        const client = await fixture.raw();
        await expect(client.connect('udara-01', 'x', { username })).rejects.toThrow('CONNACK 4');
      }
      // None of them took a guess.
      await fixture.connect('udara-01');
      expect(await fixture.refused('limit_exceeded')).toBe(0);
    },
  );

  it.each(['a\u0001b', 'a\u007f', 'a\ufffdb', 'a'.repeat(129)])(
    'of an account: %j is refused',
    async (clientId) => {
      await using fixture = await openBroker();
      await fixture.account('suite', ['free/#'], ['free/#']);
      const client = await fixture.raw();
      await expect(
        client.connect(clientId, fixture.passwords['suite']!, { username: 'suite' }),
      ).rejects.toThrow('CONNACK 2');
    },
  );
});

describe('a device on a bad link', () => {
  const limits = { takeovers: { count: 3, withinMs: 600_000, holdMs: 600_000 } };

  it('that returns while its old connections are half-open is not held', async () => {
    await using fixture = await openBroker({ limits });
    const sockets = [];
    for (let i = 0; i < 9; i++) {
      // Knows nothing of the end of the connection: the link is gone.
      const socket = connectSocket({ port: fixture.broker.port(), host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      sockets.push(socket);
      const connack = event(socket as never, 'data');
      socket.write(connectPacket('udara-01', fixture.passwords['udara-01']!));
      expect([...((await connack) as [Buffer])[0]]).toEqual([0x20, 2, 0, 0]);
    }
    expect(await fixture.refused('duplicate_identity')).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  it('is told from two devices at two addresses, which take over each other', async () => {
    await using fixture = await openBroker({ limits });
    let takeovers = 0;
    for (; takeovers < 10; takeovers++) {
      const localAddress = `127.0.0.${2 + (takeovers % 2)}`;
      const socket = connectSocket({ port: fixture.broker.port(), host: '127.0.0.1', localAddress });
      socket.on('error', () => undefined);
      const connack = event(socket as never, 'data');
      socket.write(connectPacket('udara-01', fixture.passwords['udara-01']!));
      if (((await connack) as [Buffer])[0][3] !== 0) break;
    }
    // The first one takes over nobody.
    expect(takeovers).toBe(limits.takeovers.count + 1);
    expect(await fixture.rejection('duplicate_identity')).toMatchObject({ device: 'udara-01' });
  });
});

describe('packets before CONNACK', () => {
  it('CONNECT and 500 PUBLISH in one write are accepted', async () => {
    await using fixture = await openBroker();
    const client = await openRaw(fixture.broker.port());
    const publishes = Array.from({ length: 500 }, (_, i) =>
      mqttPacket.generate({
        ...{ cmd: 'publish', topic: TOPIC, payload: String(i), qos: 1 },
        ...{ messageId: i + 1, dup: false, retain: false },
      }),
    );
    client.send(Buffer.concat([connectPacket('udara-01', fixture.passwords['udara-01']!), ...publishes]));
    await client.next('connack');
    for (let i = 0; i < 500; i++) expect((await client.next('puback')).messageId).toBe(i + 1);
    const payloads = (await fixture.entries('uplink')).map(({ data }) =>
      Buffer.from(data.payload).toString(),
    );
    expect(payloads).toEqual(publishes.map((_, i) => String(i)));
    client.socket.destroy();
  });
});

describe('refusals', () => {
  it('of a flood fill neither journal nor log: most are counted together, and none is lost', async () => {
    await using fixture = await openBroker({
      refusalsEveryMs: 20,
      limits: { refusalEntries: { perSecond: 1, burst: 50 } },
    });
    for (let i = 0; i < 300; i++) {
      const client = await fixture.raw();
      client.send(connectPacket(`Nobody ${i}`, 'x'));
      await client.closed;
    }
    const counts = async (): Promise<number[]> =>
      (await fixture.entries('rejected')).map(({ data }) => data.count);
    await waitUntil('all are counted', async () => (await counts()).reduce((a, b) => a + b, 0) === 300);
    // The burst, what a few seconds allow, and one entry a flush of what is counted together.
    expect((await counts()).length).toBeLessThan(150);
  });
});
