import { MINUTE, PantauError, SECOND, type Clock, type Millis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { z } from 'zod';
import { jose, signingSecret } from './secrets.js';

const AUDIENCE = 'pantau:sign-on';
const ALGORITHM = 'HS256';
/** Between the two halves of a sign-in. */
export const ATTEMPT_LIFETIME: Millis = 10 * MINUTE;

const attemptSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** The session in which it was begun, which ends with the new one. */
  ends: z.object({ user: z.string(), id: z.string() }).optional(),
});
export type KeptAttempt = z.output<typeof attemptSchema>;

/** What a browser keeps while it is at the sign-on server: signed, so that it brings back what Pantau gave out, and in time. */
export class SignOnAttempts {
  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  async seal(attempt: KeptAttempt): Promise<string> {
    const expiry = Math.floor((this.clock.now() + ATTEMPT_LIFETIME) / SECOND);
    const { SignJWT } = await jose();
    return new SignJWT(attempt)
      .setProtectedHeader({ alg: ALGORITHM })
      .setAudience(AUDIENCE)
      .setExpirationTime(expiry)
      .sign(await signingSecret(this.state, AUDIENCE));
  }

  /** @throws PantauError `SIGN_IN_REFUSED`: whoever began is somebody else, or it was long ago */
  async open(sealed: string | undefined): Promise<KeptAttempt> {
    const { jwtVerify } = await jose();
    try {
      const { payload } = await jwtVerify(sealed ?? '', await signingSecret(this.state, AUDIENCE), {
        ...{ algorithms: [ALGORITHM], audience: AUDIENCE, requiredClaims: ['exp'] },
        currentDate: new Date(this.clock.now()),
      });
      return attemptSchema.parse(payload);
    } catch {
      throw new PantauError('SIGN_IN_REFUSED', 'this browser did not begin to sign in, or too long ago.', {
        remedy: 'Begin again.',
      });
    }
  }
}
