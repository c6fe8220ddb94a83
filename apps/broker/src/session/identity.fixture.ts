import { namespaceOf } from '#libs/testing';
import { SignJWT } from 'jose';
import type { BrokerFixture } from '../broker.fixture.js';

export const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
const AUDIENCE = 'pantau:mqtt';
export const HOUR_S = 3_600;

/** What a CONNECT is answered with, byte by byte, until the broker has closed the connection. */
export async function answerTo(fixture: BrokerFixture, connect: Buffer): Promise<Buffer> {
  const { socket, closed } = await fixture.raw();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(connect);
  await closed;
  return Buffer.concat(chunks);
}

/** CONNACK that refuses. */
export const refusal = (returnCode: number): Buffer => Buffer.from([0x20, 2, 0, returnCode]);

/** A token as an installation would sign it; what the caller gives stands in it instead. */
export async function signed(
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

export interface Claims {
  /** Seconds from now; null leaves it out. */
  readonly exp?: number | null;
  readonly nbf?: number;
  readonly sub?: string;
  readonly aud?: string;
  readonly gen?: number;
  readonly secret?: Uint8Array;
  readonly algorithm?: string;
}
