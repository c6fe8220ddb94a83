import {
  certificateAuthority,
  describeWith,
  type CertificateAuthority,
  type CertificateFiles,
} from '#libs/testing';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectPacket, event, openBroker, type BrokerFixture } from '../broker.fixture.js';
import { answerTo, HOUR_S, refusal, signed, TOPIC, type Claims } from './identity.fixture.js';

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
