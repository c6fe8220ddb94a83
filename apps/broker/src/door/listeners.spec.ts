import {
  certificateAuthority,
  describeWith,
  waitUntil,
  type CertificateAuthority,
  type CertificateFiles,
} from '#libs/testing';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import {
  connectPacket,
  openBroker,
  openRaw,
  openSocket,
  type BrokerFixture,
  type ClientOptions,
} from '../broker.fixture.js';
import type { ListenerKind, TlsFiles } from './listeners.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
const KINDS = ['tcp', 'tls', 'ws', 'wss'] as const;
const LOOPBACK = { names: ['DNS:localhost', 'IP:127.0.0.1'] };

async function payloads(fixture: BrokerFixture): Promise<string[]> {
  return (await fixture.entries('uplink')).map(({ data }) => Buffer.from(data.payload).toString());
}

describeWith(['openssl'], 'listeners', () => {
  let authority: CertificateAuthority;
  let server: CertificateFiles;
  beforeAll(() => {
    authority = certificateAuthority('Pantau test CA');
    server = authority.issue('localhost', LOOPBACK);
  });
  afterAll(() => authority[Symbol.dispose]());

  const tls = (more: Partial<TlsFiles> = {}): TlsFiles => ({
    ...server,
    clientCertificate: 'optional',
    ...more,
  });
  const trust = (): ClientOptions => ({ ca: readFileSync(authority.cert) });

  it('take a message over TCP, TLS, WebSocket and secure WebSocket into the journal', async () => {
    await using fixture = await openBroker({ ports: { tcp: 0, tls: 0, ws: 0, wss: 0 }, tls: tls() });
    for (const kind of KINDS) {
      const client = await fixture.connect('udara-01', trust(), kind);
      await client.publishAsync(TOPIC, kind, { qos: 1 });
      await client.endAsync();
    }
    expect(await payloads(fixture)).toEqual([...KINDS]);
    const { values } = await fixture.broker.metrics.connects.get();
    expect(values.map(({ labels, value }) => [labels.listener, value])).toEqual(
      KINDS.map((kind) => [kind, 1]),
    );
  });

  it.each(KINDS)('are off without a port: %s alone can be on', async (kind) => {
    await using fixture = await openBroker({ ports: { [kind]: 0 }, tls: tls() });
    expect(KINDS.filter((other) => fixture.broker.port(other) !== 0)).toEqual([kind]);
    const client = await fixture.connect('udara-01', trust(), kind);
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    expect(await payloads(fixture)).toEqual(['x']);
  });

  it.each(KINDS)('answer a refused CONNECT over %s before they close', async (kind) => {
    await using fixture = await openBroker({ ports: { [kind]: 0 }, tls: tls() });
    await expect(fixture.connect('udara-01', { ...trust(), password: 'wrong' }, kind)).rejects.toMatchObject({
      code: 4,
    });
    await expect(fixture.connect('udara-01', { ...trust(), protocolVersion: 5 }, kind)).rejects.toMatchObject(
      { code: 0x84 },
    );
  });

  it('refuse WebSockets on another path and without the protocol mqtt', async () => {
    await using fixture = await openBroker({ ports: { ws: 0 } });
    const request = async (path: string, protocol: string): Promise<string> => {
      const socket = await openSocket(fixture.broker.port('ws'));
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString().split('\r\n')[0]!;
    };
    expect(await request('/mqtt', 'mqtt')).toBe('HTTP/1.1 101 Switching Protocols');
    expect(await request('/other', 'mqtt')).toBe('HTTP/1.1 400 Bad Request');
    expect(await request('/mqtt', 'chat')).toBe('HTTP/1.1 400 Bad Request');
  });

  describe('with TLS', () => {
    const handshake = async (
      port: number,
      options: { version?: SecureVersion; client?: CertificateFiles } = {},
    ): Promise<TLSSocket> => {
      const { version, client } = options;
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca: readFileSync(authority.cert),
        // OpenSSL 3 speaks TLS 1.1 only at the lowest level of security.
        ...(version === undefined
          ? {}
          : { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
        ...(client === undefined ? {} : { key: readFileSync(client.key), cert: readFileSync(client.cert) }),
      });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      return socket;
    };

    it('accept TLS 1.2 and 1.3, refuse 1.1 and record it', async () => {
      await using fixture = await openBroker({ ports: { tls: 0, wss: 0 }, tls: tls() });
      for (const kind of ['tls', 'wss'] as const) {
        for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
          const socket = await handshake(fixture.broker.port(kind), { version });
          expect(socket.getProtocol()).toBe(version);
          socket.destroy();
        }
        await expect(handshake(fixture.broker.port(kind), { version: 'TLSv1.1' })).rejects.toMatchObject({
          code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
        });
      }
      await fixture.rejection('malformed', 'unsupported protocol');
    });

    it('serve a renewed certificate to new connections and keep the standing ones', async () => {
      const files = authority.issue('localhost', LOOPBACK);
      await using fixture = await openBroker({
        ports: { tls: 0, wss: 0 },
        tls: { ...files, clientCertificate: 'optional' },
      });
      const standing = [
        await fixture.connect('udara-01', trust(), 'tls'),
        await fixture.connect('udara-02', trust(), 'wss'),
      ];
      const fingerprint = async (kind: ListenerKind): Promise<string> => {
        const socket = await handshake(fixture.broker.port(kind));
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.destroy();
        return fingerprint256;
      };
      const before = await fingerprint('tls');
      expect(await fingerprint('wss')).toBe(before);

      writeFileSync(files.cert, 'half a file');
      fixture.broker.reloadCertificates();
      expect(await fingerprint('tls')).toBe(before);

      const renewed = authority.issue('localhost', LOOPBACK);
      copyFileSync(renewed.key, files.key);
      copyFileSync(renewed.cert, files.cert);
      // Nobody asks for it: the files are watched.
      await waitUntil('the new certificate is served', async () => (await fingerprint('tls')) !== before);
      expect(await fingerprint('wss')).not.toBe(before);
      await standing[0]!.publishAsync(TOPIC, 'tls', { qos: 1 });
      await standing[1]!.publishAsync(TOPIC.replace('01', '02'), 'wss', { qos: 1 });
      expect(await payloads(fixture)).toEqual(['tls', 'wss']);
    });

    it('know a device by the certificate, whose CN or DNS name is its id, without a password', async () => {
      await using fixture = await openBroker({
        ports: { tls: 0, wss: 0 },
        tls: tls({ clientCa: authority.cert }),
      });
      const byCn = authority.issue('udara-01');
      const bySan = authority.issue('Stasiun Betung', { names: ['DNS:station.example', 'DNS:udara-02'] });
      const identity = ({ key, cert }: CertificateFiles): ClientOptions => ({
        ...trust(),
        key: readFileSync(key),
        cert: readFileSync(cert),
        password: undefined,
        username: undefined,
      });
      for (const kind of ['tls', 'wss'] as const) {
        const first = await fixture.connect('udara-01', identity(byCn), kind);
        await first.publishAsync(TOPIC, 'cn', { qos: 1 });
        const second = await fixture.connect('udara-02', identity(bySan), kind);
        await second.publishAsync(TOPIC.replace('01', '02'), 'san', { qos: 1 });
        await first.endAsync();
        await second.endAsync();
      }
      expect(await payloads(fixture)).toEqual(['cn', 'san', 'cn', 'san']);
      // The certificate speaks for its device alone.
      await expect(
        fixture.connect('udara-02', { ...identity(byCn), clientId: 'udara-02' }, 'tls'),
      ).rejects.toMatchObject({ code: 2 });
      await expect(
        fixture.connect('udara-01', { ...identity(byCn), username: 'udara-02' }, 'tls'),
      ).rejects.toMatchObject({ code: 4 });
      await expect(
        fixture.connect('udara-01', identity(authority.issue('udara-99')), 'tls'),
      ).rejects.toMatchObject({ code: 4 });
      await fixture.rejection('unknown_device', 'udara-99');
      // Without a certificate the password counts.
      await fixture.connect('udara-01', trust(), 'tls');
      await expect(
        fixture.connect('udara-02', { ...trust(), password: 'wrong' }, 'tls'),
      ).rejects.toMatchObject({ code: 4 });
      // A valid certificate does not help a device that is revoked.
      await fixture.administration.revoke('udara-02');
      await expect(fixture.connect('udara-02', identity(bySan), 'tls')).rejects.toMatchObject({ code: 4 });
      expect(await fixture.rejection('revoked')).toMatchObject({ device: 'udara-02' });
    });

    it.each(['optional', 'required'] as const)(
      'refuse certificates that are of another authority, expired or taken back, and say why (%s)',
      async (clientCertificate) => {
        using other = certificateAuthority('Somebody else');
        const revoked = authority.issue('udara-01');
        await using fixture = await openBroker({
          ports: { tls: 0, wss: 0 },
          tls: tls({
            clientCa: authority.cert,
            clientCrl: authority.revoke(revoked),
            clientCertificate,
          }),
        });
        const bad = {
          UNABLE_TO_VERIFY_LEAF_SIGNATURE: other.issue('udara-01'),
          CERT_HAS_EXPIRED: authority.issue('udara-01', { expired: true }),
          CERT_REVOKED: revoked,
        };
        for (const [why, client] of Object.entries(bad)) {
          for (const kind of ['tls', 'wss'] as const) {
            const socket = await handshake(fixture.broker.port(kind), { client });
            socket.resume();
            await once(socket, 'close');
          }
          await fixture.rejection('bad_credentials', `client certificate: ${why}`);
        }
        const good = await handshake(fixture.broker.port('tls'), { client: authority.issue('udara-01') });
        good.write(connectPacket('udara-01', ''));
        const [connack] = (await once(good, 'data')) as [Buffer];
        expect(connack).toEqual(Buffer.from([0x20, 2, 0, 0]));
        good.destroy();
        if (clientCertificate === 'required') {
          const none = await handshake(fixture.broker.port('tls'));
          none.resume();
          await once(none, 'close');
          await fixture.rejection('bad_credentials', 'client certificate: none was sent');
        }
      },
    );

    it('refuse a certificate that was taken back after the start, once the list is read again', async () => {
      const device = authority.issue('udara-01');
      const crl = `${server.cert}.crl`;
      copyFileSync(authority.revoke(authority.issue('udara-77')), crl);
      await using fixture = await openBroker({
        ports: { tls: 0 },
        tls: tls({ clientCa: authority.cert, clientCrl: crl }),
      });
      const options = {
        ...trust(),
        key: readFileSync(device.key),
        cert: readFileSync(device.cert),
        password: undefined,
        username: undefined,
      };
      const client = await fixture.connect('udara-01', options, 'tls');
      await client.endAsync();
      copyFileSync(authority.revoke(device), crl);
      fixture.broker.reloadCertificates();
      await expect(fixture.connect('udara-01', options, 'tls')).rejects.toThrow();
      await fixture.rejection('bad_credentials', 'CERT_REVOKED');
    });
  });

  describe('behind a balancer that speaks the PROXY protocol', () => {
    const v1 = Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 50000 1883\r\n');
    const v2 = Buffer.from(
      '0d0a0d0a000d0a515549540a' +
        '21' +
        '21' +
        '0024' +
        '20010db8000000000000000000000042' +
        '20010db8000000000000000000000001' +
        'c350' +
        '075b',
      'hex',
    );
    const SOURCES = [
      ['version 1', v1, '203.0.113.7'],
      ['version 2', v2, '2001:db8:0:0:0:0:0:42'],
    ] as const;

    it.each(SOURCES)('take the address of %s for refusals and limits', async (_name, header, address) => {
      await using fixture = await openBroker({
        ports: { tcp: 0 },
        trustedProxies: ['127.0.0.0/8'],
        limits: { connectionsPerAddress: 1 },
      });
      const first = await openRaw(fixture.broker.port());
      first.send(Buffer.concat([header, connectPacket('udara-01', fixture.passwords['udara-01']!)]));
      expect(await first.next('connack')).toMatchObject({ returnCode: 0 });

      const second = await openRaw(fixture.broker.port());
      second.send(Buffer.concat([header, connectPacket('udara-02', fixture.passwords['udara-02']!)]));
      await second.closed;
      await fixture.rejection('limit_exceeded', `connectionsPerAddress (${address})`);

      // The balancer's own address is not the one that is counted.
      const health = await openRaw(fixture.broker.port());
      health.send(Buffer.from('PROXY UNKNOWN\r\n'));
      health.send(connectPacket('udara-02', fixture.passwords['udara-02']!));
      expect(await health.next('connack')).toMatchObject({ returnCode: 0 });

      first.socket.destroy();
      await waitUntil('the place is free again', async () => {
        const again = await openRaw(fixture.broker.port());
        again.send(Buffer.concat([header, connectPacket('udara-01', 'wrong')]));
        return again.next('connack').then(
          ({ returnCode }) => returnCode === 4,
          () => false,
        );
      });
      await fixture.rejection('bad_credentials', `(from ${address})`);
      health.socket.destroy();
    });

    it('works in front of TLS and WebSockets too', async () => {
      await using fixture = await openBroker({
        ports: { tls: 0, ws: 0, wss: 0 },
        tls: tls(),
        trustedProxies: ['127.0.0.1'],
      });
      const overTls = await openSocket(fixture.broker.port('tls'));
      overTls.write(v1);
      const secure = connectTls({
        socket: overTls,
        ca: readFileSync(authority.cert),
        servername: 'localhost',
      });
      await once(secure, 'secureConnect');
      secure.write(connectPacket('udara-01', 'wrong'));
      const [connack] = (await once(secure, 'data')) as [Buffer];
      expect(connack).toEqual(Buffer.from([0x20, 2, 0, 4]));
      secure.destroy();
      await fixture.rejection('bad_credentials', '(from 203.0.113.7)');

      const socket = await openSocket(fixture.broker.port('ws'));
      // In one piece with the header: what follows it must not be lost.
      socket.write(
        `${v1.toString()}GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
      // A frame that is not masked is an error of the WebSocket protocol.
      socket.write(Buffer.from([0x82, 0x00]));
      await fixture.rejection('malformed', '(from 203.0.113.7)');
      socket.destroy();
    });

    it.each(SOURCES)('take %s from anybody else for malformed MQTT', async (_name, header) => {
      await using fixture = await openBroker();
      const client = await openRaw(fixture.broker.port());
      client.send(
        Buffer.concat([header, connectPacket('udara-01', fixture.passwords['udara-01']!), Buffer.alloc(100)]),
      );
      await client.closed;
      expect(await fixture.rejection('malformed')).toMatchObject({
        detail: expect.stringContaining('127.0.0.1'),
      });
    });

    it('refuse a balancer that sends no header, or not in time', async () => {
      await using fixture = await openBroker({
        trustedProxies: ['127.0.0.1'],
        limits: { connectTimeoutMs: 300 },
      });
      const without = await openRaw(fixture.broker.port());
      without.send(connectPacket('udara-01', fixture.passwords['udara-01']!));
      await without.closed;
      const silent = await openRaw(fixture.broker.port());
      await silent.closed;
      await fixture.rejection('malformed', 'PROXY protocol: no PROXY header');
      await fixture.rejection('malformed', 'PROXY protocol: no PROXY header in time');
    });
  });
});
