import { certificateAuthority, describeWith, waitUntil } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import { openBroker, openSocket, connectPacket } from '../broker.fixture.js';

const topicOf = (device: string): string => `pantau/v1/betung/${device}/telemetry`;
/** The neighbour works as if nothing happened. */
async function assertServed(neighbour: MqttClient): Promise<void> {
  expect(neighbour.connected).toBe(true);
  await neighbour.publishAsync(topicOf('udara-02'), 'served', { qos: 1 });
}
describe('limits at the door', () => {
  it('of connections in total', async () => {
    await using fixture = await openBroker({ limits: { connections: 2 } });
    const neighbour = await fixture.connect('udara-02');
    const second = await fixture.raw();
    await (
      await fixture.raw()
    ).closed;
    await fixture.rejection('limit_exceeded', 'connections (127.0.0.1)');
    expect(await fixture.refused('limit_exceeded')).toBe(1);
    second.socket.destroy();
    await waitUntil('a place is free', () => fixture.connect('udara-01'));
    await assertServed(neighbour);
  });

  it('of connections of an address', async () => {
    await using fixture = await openBroker({ limits: { connectionsPerAddress: 1 } });
    const neighbour = await fixture.connect('udara-02');
    await (
      await fixture.raw()
    ).closed;
    await fixture.rejection('limit_exceeded', 'connectionsPerAddress (127.0.0.1)');
    expect(await fixture.refused('limit_exceeded')).toBe(1);
    await assertServed(neighbour);
  });

  it('of connections of an address that say nothing yet', async () => {
    await using fixture = await openBroker({ limits: { pendingPerAddress: 2 } });
    const neighbour = await fixture.connect('udara-02');
    const first = await fixture.raw();
    await fixture.raw();
    await (
      await fixture.raw()
    ).closed;
    await fixture.rejection('limit_exceeded', 'pendingPerAddress (127.0.0.1)');
    // One of them says who it is, and makes room.
    await first.connect('udara-01', fixture.passwords['udara-01']!);
    await (await fixture.raw()).connect('udara-01', fixture.passwords['udara-01']!);
    expect(await fixture.refused('limit_exceeded')).toBe(1);
    await assertServed(neighbour);
  });

  it('of the rate of connections of an address', async () => {
    await using fixture = await openBroker({
      limits: { connectsPerAddress: { perSecond: 0.001, burst: 3 } },
    });
    const neighbour = await fixture.connect('udara-02');
    for (let i = 0; i < 2; i++) (await fixture.raw()).socket.destroy();
    await (
      await fixture.raw()
    ).closed;
    await fixture.rejection('limit_exceeded', 'connectsPerAddress (127.0.0.1)');
    expect(await fixture.refused('limit_exceeded')).toBe(1);
    await assertServed(neighbour);
  });

  it('of wrong passwords of an address, behind which devices with known passwords still get in', async () => {
    await using fixture = await openBroker({
      limits: { authFailuresPerAddress: { perSecond: 0.001, burst: 4 } },
    });
    // A right password does not count.
    await (await fixture.connect('udara-02')).endAsync();
    for (let i = 0; i < 4; i++)
      await expect(fixture.connect('udara-01', { password: `wrong ${i}` })).rejects.toMatchObject({
        code: 4,
      });
    // Nothing that would have to be computed is looked at any more, right or wrong.
    await expect(fixture.connect('udara-01')).rejects.toMatchObject({ code: 3 });
    await fixture.rejection('limit_exceeded', 'authFailuresPerAddress');
    await assertServed(await fixture.connect('udara-02'));
    const token = await fixture.tokens.issue('udara-01', 60_000);
    await fixture.connect('udara-01', { password: token });
    expect(await fixture.refused('limit_exceeded')).toBe(1);
    expect(await fixture.refused('bad_credentials')).toBe(4);
  });

  it('of wrong passwords for one name, which then has to wait', async () => {
    await using fixture = await openBroker();
    for (let i = 0; i < 5; i++)
      await expect(fixture.connect('udara-01', { password: `wrong ${i}` })).rejects.toMatchObject({
        code: 4,
      });
    await expect(fixture.connect('udara-01')).rejects.toMatchObject({ code: 4 });
    await fixture.rejection('limit_exceeded', 'too many wrong passwords for "udara-01"');
    await assertServed(await fixture.connect('udara-02'));
    // The first wait is a second.
    await waitUntil('it may try again', () => fixture.connect('udara-01'));
  });
});

describeWith(['openssl'], 'the time until CONNECT', () => {
  it('is limited however slowly a client drips, over every listener', async () => {
    using authority = certificateAuthority('Pantau test CA');
    const server = authority.issue('localhost', { names: ['IP:127.0.0.1'] });
    await using fixture = await openBroker({
      ports: { tcp: 0, tls: 0, ws: 0, wss: 0 },
      tls: { ...server, clientCertificate: 'optional' },
      limits: { connectTimeoutMs: 500 },
    });
    const neighbour = await fixture.connect('udara-02');
    const upgrade =
      'GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const drips = {
      tcp: connectPacket('udara-01', fixture.passwords['udara-01']!),
      tls: Buffer.from('1603010200010001fc0303', 'hex'),
      ws: Buffer.from(upgrade),
      wss: Buffer.from('1603010200010001fc0303', 'hex'),
    };
    await Promise.all(
      Object.entries(drips).map(async ([kind, bytes]) => {
        const socket = await openSocket(fixture.broker.port(kind as 'tcp'));
        let at = 0;
        const drip = setInterval(() => socket.write(bytes.subarray(at, ++at)), 100);
        // Not `once` of events: a reset on the way is an end like any other here, and no fault.
        await new Promise((resolve) => socket.once('close', resolve));
        clearInterval(drip);
      }),
    );
    // Also one that says nothing at all, and one that upgrades and then is silent.
    await (
      await fixture.raw()
    ).closed;
    const silent = await openSocket(fixture.broker.port('ws'));
    silent.write(
      `${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`,
    );
    await new Promise((resolve) => silent.once('close', resolve));
    await waitUntil(
      'each is counted, and counted once',
      async () => (await fixture.refused('limit_exceeded')) === 6,
    );
    await fixture.rejection('limit_exceeded', 'connectTimeout (127.0.0.1)');
    expect(await fixture.refused('malformed')).toBe(0);
    await assertServed(neighbour);
  });
});
