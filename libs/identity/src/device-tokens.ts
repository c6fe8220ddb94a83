import type { Clock, Millis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { DeviceCredentials } from './device-credentials.js';
import { jose, signingSecret } from './users/secrets.js';

const AUDIENCE = 'pantau:mqtt';
const ALGORITHM = 'HS256';

/**
 * Short-lived passwords: JSON Web Tokens (RFC 7519) signed with a secret of this installation. A token belongs to the
 * generation of the device's access, so rotating or revoking ends it before it expires.
 */
export class DeviceTokens {
  constructor(
    private readonly state: StateStore,
    private readonly credentials: DeviceCredentials,
    private readonly clock: Clock,
  ) {}

  async issue(device: string, lifetimeMs: Millis): Promise<string> {
    const { generation } = await this.credentials.access(device);
    const now = Math.floor(this.clock.now() / 1_000);
    const { SignJWT } = await jose();
    return new SignJWT({ gen: generation })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setSubject(device)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.ceil(lifetimeMs / 1_000))
      .sign(await signingSecret(this.state, AUDIENCE));
  }

  /** Whether a password has the form of a token. */
  static looksLike(password: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(password);
  }

  /** Whether the token is this device's, signed by this installation, not expired and not revoked. */
  async verify(device: string, token: string): Promise<boolean> {
    const { generation, revoked } = await this.credentials.access(device);
    if (revoked) return false;
    const { jwtVerify } = await jose();
    try {
      const { payload } = await jwtVerify(token, await signingSecret(this.state, AUDIENCE), {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        subject: device,
        requiredClaims: ['exp'],
        currentDate: new Date(this.clock.now()),
      });
      return payload['gen'] === generation;
    } catch {
      return false;
    }
  }
}
