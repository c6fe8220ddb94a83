import { waitUntil } from '#libs/testing';
import { randomBytes } from 'node:crypto';
import { connectPacket, event, openBroker } from '../broker.fixture.js';
import { answerTo, refusal, TOPIC } from './identity.fixture.js';

describe('an access that is taken away', () => {
  it('ends the connection at once and refuses password and token afterwards', async () => {
    await using fixture = await openBroker();
    const token = await fixture.tokens.issue('udara-01', 60_000);
    const neighbour = await fixture.connect('udara-02');
    const client = await fixture.connect('udara-01');
    const closed = event(client, 'close');
    await fixture.administration.revoke('udara-01');
    await closed;
    const { 'udara-01': password } = fixture.passwords;
    for (const credential of [password!, token])
      expect(await answerTo(fixture, connectPacket('udara-01', credential))).toEqual(refusal(4));
    expect(await fixture.rejection('revoked')).toMatchObject({ device: 'udara-01' });
    await waitUntil('its end is told', async () =>
      (await fixture.presence()).some(({ data }) => data.device === 'udara-01' && data.cause === 'expelled'),
    );
    // Also in the next life of the broker; the neighbour has nothing to do with it.
    expect(neighbour.connected).toBe(true);
    await fixture.restart();
    await expect(fixture.connect('udara-01')).rejects.toMatchObject({ code: 4 });
    await fixture.connect('udara-02');
  });

  it('comes back with a new password, and what the device sent before stays', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    await client.publishAsync(TOPIC, 'before', { qos: 1 });
    const closed = event(client, 'close');
    await fixture.administration.revoke('udara-01');
    await closed;
    const password = await fixture.administration.rotate('udara-01');
    const again = await fixture.connect('udara-01', { password });
    await again.publishAsync(TOPIC, 'after', { qos: 1 });
    const uplinks = await fixture.entries('uplink');
    expect(uplinks.map(({ data }) => Buffer.from(data.payload).toString())).toEqual(['before', 'after']);
  });

  it('of an account ends all of its connections', async () => {
    await using fixture = await openBroker();
    await fixture.account('suite', ['free/#'], ['free/#']);
    const { suite: password } = fixture.passwords;
    const clients = [
      await fixture.connect('suite-1', { username: 'suite', password }),
      await fixture.connect('suite-2', { username: 'suite', password }),
    ];
    const closed = clients.map((client) => event(client, 'close'));
    await fixture.administration.removeAccount('suite');
    await Promise.all(closed);
    await expect(fixture.connect('suite')).rejects.toMatchObject({ code: 4 });
  });
});

describe('a password that is rotated', () => {
  it('ends the connected session, the old password and every token; the new one lets in', async () => {
    await using fixture = await openBroker();
    const token = await fixture.tokens.issue('udara-01', 60_000);
    const old = fixture.passwords['udara-01']!;
    const client = await fixture.connect('udara-01', { password: token });
    const closed = event(client, 'close');
    const password = await fixture.administration.rotate('udara-01');
    await closed;
    for (const credential of [old, token])
      await expect(fixture.connect('udara-01', { password: credential })).rejects.toMatchObject({ code: 4 });
    const again = await fixture.connect('udara-01', { password });
    await again.publishAsync(TOPIC, 'x', { qos: 1 });
    await again.endAsync();
    await fixture.connect('udara-01', { password: await fixture.tokens.issue('udara-01', 60_000) });
  });
});

describe('two clients with one identity', () => {
  const limits = { takeovers: { count: 3, withinMs: 600_000, holdMs: 600_000 } };

  it('are told apart from one: the newcomer is held, the standing one works, and the operator sees why', async () => {
    await using fixture = await openBroker({ limits });
    let standing = await fixture.connect('udara-01');
    let takeovers = 0;
    let refused: unknown;
    // Each takes over the connection of the other, as two would that reconnect by themselves.
    while (refused === undefined && takeovers < 10) {
      const lost = event(standing, 'close');
      const newcomer = await fixture.connect('udara-01').catch((error: unknown) => {
        refused = error;
      });
      if (newcomer === undefined) break;
      await lost;
      standing = newcomer;
      takeovers++;
    }
    // From one address a takeover counts half: a balancer answers for a device that is gone.
    expect(takeovers).toBe(2 * limits.takeovers.count);
    expect(refused).toMatchObject({ code: 3 });
    expect(await fixture.rejection('duplicate_identity')).toMatchObject({ device: 'udara-01' });
    // However often it knocks now.
    for (let i = 0; i < 3; i++) await expect(fixture.connect('udara-01')).rejects.toMatchObject({ code: 3 });
    expect(standing.connected).toBe(true);
    await standing.publishAsync(TOPIC, 'still here', { qos: 1 });
    const ends = (await fixture.presence()).filter(({ data }) => data.state === 'disconnected');
    expect(ends.map(({ data }) => data.cause)).toEqual(Array(2 * limits.takeovers.count).fill('takeover'));
    // The place of one that leaves is free.
    await standing.endAsync();
    await fixture.connect('udara-01');
  });

  it('are not what a device is that ends its connections and comes back', async () => {
    await using fixture = await openBroker({ limits });
    for (let i = 0; i < 3 * limits.takeovers.count; i++) {
      const client = await fixture.connect('udara-01');
      await client.publishAsync(TOPIC, String(i), { qos: 1 });
      await client.endAsync();
    }
    expect(await fixture.refused('duplicate_identity')).toBe(0);
    expect(await fixture.entries('uplink')).toHaveLength(3 * limits.takeovers.count);
  });

  it('are not what a device is whose connection broke and is noticed broken', async () => {
    await using fixture = await openBroker({ limits });
    const ended = async (): Promise<number> =>
      (await fixture.presence()).filter(({ data }) => data.state === 'disconnected').length;
    for (let i = 0; i < 2 * limits.takeovers.count; i++) {
      const client = await fixture.raw();
      await client.connect('udara-01', fixture.passwords['udara-01']!);
      client.socket.resetAndDestroy();
      await waitUntil('the broker has noticed', async () => (await ended()) === i + 1);
    }
    await fixture.connect('udara-01');
    expect(await fixture.refused('duplicate_identity')).toBe(0);
  });

  it('are not what two connections of a service account are, each with a client id of its own', async () => {
    await using fixture = await openBroker({ limits });
    await fixture.account('suite', ['free/#'], ['free/#']);
    const { suite: password } = fixture.passwords;
    const clients = await Promise.all(
      Array.from({ length: 2 * limits.takeovers.count }, (_, i) =>
        fixture.connect(`suite-${i}`, { username: 'suite', password }),
      ),
    );
    expect(clients.every(({ connected }) => connected)).toBe(true);
  });
});

describe('a device that registered itself', () => {
  const wanted = (id: string): { id: string; kind: 'air'; name: string; intervalMs: number } => ({
    id,
    kind: 'air',
    name: id,
    intervalMs: 60_000,
  });

  it('connects with what its claim gave it, at once, and writes below its own topic alone', async () => {
    await using fixture = await openBroker();
    const key = await fixture.keys.create('betung', 1, 60_000);
    await expect(fixture.connect('udara-31')).rejects.toMatchObject({ code: 4 });
    const { password, site } = await fixture.administration.claim(key, wanted('udara-31'));
    const client = await fixture.connect('udara-31', { password });
    await client.publishAsync(`pantau/v1/${site}/udara-31/telemetry`, 'x', { qos: 1 });
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    expect(await fixture.rejection('topic_not_allowed')).toMatchObject({ device: 'udara-31' });
    // The key is no password, for its device or for any other.
    for (const id of ['udara-31', 'udara-32'])
      expect(await answerTo(fixture, connectPacket(id, key))).toEqual(refusal(4));
  });

  it('needs a key that is right, in time and not used up; the refusal is one and the same', async () => {
    await using fixture = await openBroker();
    const key = await fixture.keys.create('betung', 2, 60_000);
    const expired = await fixture.keys.create('betung', 2, 0);
    const wrong = key.replace(/.{43}$/, randomBytes(32).toString('base64url'));
    const claim = (with_: string, id: string): Promise<unknown> =>
      fixture.administration.claim(with_, wanted(id)).then(
        () => 'in',
        (error: unknown) => String(error),
      );
    // However many come at the same time, the key lets in as many as it says.
    const outcomes = await Promise.all(Array.from({ length: 6 }, (_, i) => claim(key, `udara-4${i}`)));
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(2);
    const refusals = new Set([
      ...outcomes.filter((outcome) => outcome !== 'in'),
      await claim(key, 'udara-50'),
      await claim(expired, 'udara-50'),
      await claim(wrong, 'udara-50'),
      await claim('', 'udara-50'),
    ]);
    expect(Array.from(refusals)).toEqual([expect.stringContaining('PROVISIONING_REFUSED')]);
    expect(await fixture.registry.device('udara-50')).toBeUndefined();
    await expect(fixture.connect('udara-50')).rejects.toMatchObject({ code: 4 });
  });

  it('cannot take the id of a device or account that is there, nor end its access by trying', async () => {
    await using fixture = await openBroker();
    await fixture.account('suite', ['free/#'], ['free/#']);
    const key = await fixture.keys.create('betung', 5, 60_000);
    const standing = await fixture.connect('udara-01');
    for (const id of ['udara-01', 'suite'])
      await expect(fixture.administration.claim(key, wanted(id))).rejects.toMatchObject({
        code: 'PROVISIONING_REFUSED',
      });
    expect(standing.connected).toBe(true);
    await (await fixture.connect('suite')).endAsync();
    await fixture.connect('udara-01');
  });
});
