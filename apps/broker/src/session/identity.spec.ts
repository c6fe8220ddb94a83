import {
  certificateAuthority,
  describeWith,
  namespaceOf,
  type CertificateAuthority,
  type CertificateFiles,
  waitUntil,
} from '#libs/testing';
import { SignJWT } from 'jose';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectPacket, event, openBroker, type BrokerFixture } from '../broker.fixture.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
const AUDIENCE = 'pantau:mqtt';
const HOUR_S = 3_600;

/** What a CONNECT is answered with, byte by byte, until the broker has closed the connection. */
async function answerTo(fixture: BrokerFixture, connect: Buffer): Promise<Buffer> {
  const { socket, closed } = await fixture.raw();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(connect);
  await closed;
  return Buffer.concat(chunks);
}

/** CONNACK that refuses. */
const refusal = (returnCode: number): Buffer => Buffer.from([0x20, 2, 0, returnCode]);

/** A token as an installation would sign it; what the caller gives stands in it instead. */
async function signed(
  fixture: BrokerFixture,
  { exp, nbf, sub = 'udara-01', aud = AUDIENCE, gen, secret, algorithm = 'HS256' }: Claims = {},
): Promise<string> {
  // A first token makes the secret of the installation, if nobody has.
  await fixture.tokens.issue('udara-01', 1_000);
  const key = secret ?? (await fixture.state.get<Uint8Array>(namespaceOf('identity/secrets'), AUDIENCE))!;
  const { generation } = await fixture.state
    .get<{ generation: number }>(namespaceOf('identity/device-access'), sub)
    .then((access) => access ?? { generation: 0 });
  const now = Math.floor(Date.now() / 1_000);
  const jwt = new SignJWT({ gen: gen ?? generation })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject(sub)
    .setAudience(aud)
    .setIssuedAt(now);
  if (exp !== null) jwt.setExpirationTime(now + (exp ?? HOUR_S));
  if (nbf !== undefined) jwt.setNotBefore(now + nbf);
  return jwt.sign(key);
}

interface Claims {
  /** Seconds from now; null leaves it out. */
  readonly exp?: number | null;
  readonly nbf?: number;
  readonly sub?: string;
  readonly aud?: string;
  readonly gen?: number;
  readonly secret?: Uint8Array;
  readonly algorithm?: string;
}

describe('a password', () => {
  let fixture: BrokerFixture;
  beforeAll(async () => {
    fixture = await openBroker();
    await fixture.account('suite', ['free/#'], ['free/#']);
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  it('lets its device in, and nobody else', async () => {
    const { 'udara-01': password } = fixture.passwords;
    const client = await fixture.connect('udara-01');
    await client.publishAsync(TOPIC, 'mine', { qos: 1 });
    await expect(fixture.connect('udara-02', { password })).rejects.toMatchObject({ code: 4 });
    expect(await fixture.rejection('bad_credentials', 'wrong password')).toMatchObject({
      device: 'udara-02',
    });
    await client.endAsync();
  });

  it('is taken as it is: no part, prefix, case or blank of it', async () => {
    const password = fixture.passwords['udara-02']!;
    const flipped = password.replace(/[a-z]/i, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    for (const wrong of [password.slice(0, -1), `${password} `, flipped])
      expect(await answerTo(fixture, connectPacket('udara-02', wrong))).toEqual(refusal(4));
    // Right again before the wrong ones make it wait.
    await (await fixture.connect('udara-02')).endAsync();
  });

  it('tells nobody whether a device exists: the answer to a wrong one is that to an unknown device', async () => {
    await fixture.administration.addDevice({
      id: 'udara-03',
      site: 'betung',
      kind: 'air',
      name: 'revoked',
      intervalMs: 60_000,
    });
    await fixture.administration.revoke('udara-03');
    const guess = (id: string, password = 'guess'): Promise<Buffer> =>
      answerTo(fixture, connectPacket(id, password));
    const known = await guess('udara-01');
    expect(known).toEqual(refusal(4));
    const nobody = randomBytes(9).toString('base64url');
    for (const id of ['udara-99', 'udara-03', 'suite', 'no such id!', nobody])
      expect(await guess(id)).toEqual(known);
    expect(await guess('udara-01', '')).toEqual(known);
    expect(await guess('udara-99', '')).toEqual(known);
    // A token that cannot be right is no other case than a password.
    expect(await guess('udara-01', 'a.b.c')).toEqual(known);
    expect(await guess('udara-99', 'a.b.c')).toEqual(known);
    // Nor is the client id looked at before the credential: it would tell which ids are taken.
    const borrowed = (clientId: string): Promise<Buffer> =>
      answerTo(fixture, connectPacket(clientId, 'guess', { username: 'suite' }));
    expect(await borrowed('udara-01')).toEqual(await borrowed('udara-99'));
    // The operator sees what the client does not.
    await fixture.rejection('unknown_device', 'udara-99');
    await fixture.rejection('revoked', 'udara-03');
    await fixture.rejection('bad_credentials', 'wrong password');
  });

  it('belongs to a user name; a client id alone is none', async () => {
    const { 'udara-02': password } = fixture.passwords;
    await expect(
      fixture.connect('udara-02', { username: undefined, password: undefined }),
    ).rejects.toMatchObject({
      code: 4,
    });
    await expect(fixture.connect('udara-02', { username: '', password })).rejects.toMatchObject({ code: 4 });
    await expect(fixture.connect('udara-02', { username: 'UDARA-02', password })).rejects.toMatchObject({
      code: 4,
    });
  });
});

describe('a client id', () => {
  let fixture: BrokerFixture;
  beforeAll(async () => {
    fixture = await openBroker();
    await fixture.account('suite', ['free/#'], ['free/#']);
    await fixture.account('dasbor', ['free/#'], ['free/#']);
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  it('of another device is refused and leaves that one alone', async () => {
    const victim = await fixture.connect('udara-02');
    const { 'udara-01': password } = fixture.passwords;
    for (const clientId of ['udara-02', 'udara-99', 'udara-01x', 'UDARA-01', ''])
      expect(await answerTo(fixture, connectPacket(clientId, password!, { username: 'udara-01' }))).toEqual(
        refusal(2),
      );
    await fixture.rejection('bad_credentials', 'client id "udara-02" is not the device id');
    expect(victim.connected).toBe(true);
    await victim.publishAsync(TOPIC.replace('01', '02'), 'undisturbed', { qos: 1 });
  });

  it('of an account is its own choice, but none that names somebody else', async () => {
    const { suite: password } = fixture.passwords;
    const standing = await fixture.connect('dasbor');
    for (const clientId of ['udara-01', 'dasbor', 'x'.repeat(200)])
      await expect(fixture.connect(clientId, { username: 'suite', password })).rejects.toMatchObject({
        code: 2,
      });
    for (const clientId of ['suite', 'suite/1', 'suite-2'])
      await (await fixture.connect(clientId, { username: 'suite', password })).endAsync();
    expect(standing.connected).toBe(true);
  });

  it('with a kept session cannot be continued by another account', async () => {
    const options = { clientId: 'shared', clean: false } as const;
    const first = await fixture.connect('suite', options);
    await first.subscribeAsync('free/a', { qos: 1 });
    await first.endAsync();
    await expect(fixture.connect('dasbor', options)).rejects.toMatchObject({ code: 2 });
    await expect(fixture.connect('dasbor', { ...options, clean: true })).rejects.toMatchObject({ code: 2 });
    const writer = await fixture.connect('dasbor');
    await writer.publishAsync('free/a', 'for suite', { qos: 1 });
    const again = await fixture.raw();
    const connack = await again.connect('shared', fixture.passwords['suite']!, {
      username: 'suite',
      clean: false,
    });
    expect(connack.sessionPresent).toBe(true);
    expect((await again.next('publish')).payload.toString()).toBe('for suite');
  });
});

describe('a token in place of the password', () => {
  let fixture: BrokerFixture;
  beforeAll(async () => {
    fixture = await openBroker();
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  it('lets its device in beside the password', async () => {
    for (const password of [await signed(fixture), await fixture.tokens.issue('udara-01', 60_000)]) {
      const client = await fixture.connect('udara-01', { password });
      await client.publishAsync(TOPIC, 'x', { qos: 1 });
      await client.endAsync();
    }
    await (await fixture.connect('udara-01')).endAsync();
  });

  it.each<[string, Claims]>([
    ['that has expired', { exp: -1 }],
    ['that is not valid yet', { nbf: HOUR_S }],
    ['that never expires', { exp: null }],
    ['of another device', { sub: 'udara-02' }],
    ['for another service', { aud: 'pantau:api' }],
    ['of an earlier generation', { gen: 0 }],
    ['of another installation', { secret: randomBytes(32) }],
    ['signed with another algorithm', { algorithm: 'HS512' }],
  ])('does not let a device in %s', async (_name, claims) => {
    const password = await signed(fixture, claims);
    expect(await answerTo(fixture, connectPacket('udara-01', password))).toEqual(refusal(4));
    // Right again, so that what is refused next is refused for its own sake and not for its predecessors'.
    await (await fixture.connect('udara-01')).endAsync();
  });

  it('is not let in unsigned, or with claims that were changed', async () => {
    const token = await signed(fixture, { sub: 'udara-02' });
    const [, payload, signature] = token.split('.') as [string, string, string];
    const encoded = (data: object): string => Buffer.from(JSON.stringify(data)).toString('base64url');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const header = token.split('.')[0]!;
    for (const forged of [
      `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded({ ...claims, sub: 'udara-01' })}.`,
      `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded({ ...claims, sub: 'udara-01' })}.${signature}`,
      `${header}.${encoded({ ...claims, sub: 'udara-01' })}.${signature}`,
    ])
      expect(await answerTo(fixture, connectPacket('udara-01', forged))).toEqual(refusal(4));
    await (await fixture.connect('udara-01')).endAsync();
  });
});

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

describeWith(['openssl'], 'a client certificate', () => {
  let authority: CertificateAuthority;
  let server: CertificateFiles;
  let device: CertificateFiles;
  beforeAll(() => {
    authority = certificateAuthority('Pantau test CA');
    server = authority.issue('localhost', { names: ['IP:127.0.0.1'] });
    device = authority.issue('udara-01');
  });
  afterAll(() => authority[Symbol.dispose]());

  const openWithCertificates = (): Promise<BrokerFixture> =>
    openBroker({
      ports: { tls: 0 },
      tls: { ...server, clientCa: authority.cert, clientCertificate: 'optional' },
    });

  it('ends with the access of its device: at once when revoked, and comes back with it', async () => {
    await using fixture = await openWithCertificates();
    const options = {
      ca: readFileSync(authority.cert),
      key: readFileSync(device.key),
      cert: readFileSync(device.cert),
      username: undefined,
      password: undefined,
    };
    const client = await fixture.connect('udara-01', options, 'tls');
    const closed = event(client, 'close');
    await fixture.administration.revoke('udara-01');
    await closed;
    await expect(fixture.connect('udara-01', options, 'tls')).rejects.toMatchObject({ code: 4 });
    await fixture.administration.rotate('udara-01');
    const again = await fixture.connect('udara-01', options, 'tls');
    await again.publishAsync(TOPIC, 'x', { qos: 1 });
  });

  it('has the last word: no password beside it is a second way in', async () => {
    await using fixture = await openWithCertificates();
    const options = {
      ca: readFileSync(authority.cert),
      key: readFileSync(device.key),
      cert: readFileSync(device.cert),
    };
    await expect(fixture.connect('udara-02', options, 'tls')).rejects.toMatchObject({ code: 4 });
    // Nor does the right password help one whose certificate names nobody.
    const stranger = authority.issue('udara-99');
    await expect(
      fixture.connect(
        'udara-02',
        { ...options, key: readFileSync(stranger.key), cert: readFileSync(stranger.cert) },
        'tls',
      ),
    ).rejects.toMatchObject({ code: 4 });
  });
});
