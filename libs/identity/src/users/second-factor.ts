import { PantauError, sortable, TokenBuckets, type Clock } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { Secret, TOTP } from 'otpauth';
import { randomBytes } from 'node:crypto';
import { SPENT, type StoredUser } from '../namespaces.js';
import { digestOf } from './secrets.js';
import { viewOf, type Users, type UserView } from './users.js';

/** Codes of 30 s (RFC 6238); the one before and the one after count too, for clocks that differ. */
const PERIOD_S = 30;
const WINDOW = 1;
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;
/** Wrong codes of one person. Only who knows the password comes this far, so this locks out nobody by the name alone. */
const FAILURES = { perSecond: 1 / 30, burst: 10 };

/** Codes of an app as second factor (TOTP), and codes on paper for who has lost it. Each is valid once. */
export class SecondFactor {
  readonly #failures = new TokenBuckets(FAILURES);

  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
    private readonly users: Users,
  ) {}

  /** A secret for an app, which counts once {@link confirm} has seen a code of it. */
  async begin(name: string): Promise<{ readonly secret: string; readonly uri: string }> {
    const secret = new Secret({ buffer: new Uint8Array(randomBytes(SECRET_BYTES)).buffer });
    await this.users.change(name, (user) => ({ ...user, pendingSecret: secret.base32 }));
    return { secret: secret.base32, uri: totp(secret.base32, name).toString() };
  }

  /**
   * Takes the secret of {@link begin} into use. @returns the codes on paper; they cannot be read again
   * @throws PantauError `SIGN_IN_REFUSED` when the code is not one of it
   */
  async confirm(name: string, code: string): Promise<readonly string[]> {
    const user = await this.users.get(name);
    const { pendingSecret: secret } = user;
    if (secret === undefined || !(await this.#isFresh(name, secret, code))) throw wrongCode();
    const codes = Array.from({ length: RECOVERY_CODES }, recoveryCode);
    const recovery = codes.map((one) => digestOf(plain(one)));
    await this.users.change(name, (now) => {
      // Somebody began anew meanwhile: what the code was of does not count any more.
      if (now.pendingSecret !== secret) throw wrongCode();
      return { ...ended(now), secondFactor: { secret, recovery } };
    });
    return codes;
  }

  /** Takes it away from somebody, whose sessions end. @param check - as that of {@link Users.put} */
  async remove(name: string, check: (before: UserView) => void = () => undefined): Promise<void> {
    await this.users.change(name, (before) => {
      check(viewOf(before));
      return ended(before);
    });
  }

  /**
   * That the code is one of this person's, and was not used before.
   *
   * @throws PantauError `SECOND_FACTOR_NEEDED` without a code, `SIGN_IN_REFUSED` for a wrong one, `OVERLOADED` for too many
   */
  async verify({ name, secondFactor }: StoredUser, code: string | undefined): Promise<void> {
    if (secondFactor === undefined) return;
    if (code === undefined)
      throw new PantauError('SECOND_FACTOR_NEEDED', 'a code of the second factor is needed.', {
        fields: [{ field: 'code', message: 'expected a code of the app, or one of the recovery codes' }],
      });
    const now = this.clock.now();
    const failures = this.#failures.of(name, now);
    if (!failures.has(now))
      throw new PantauError('OVERLOADED', 'too many wrong codes.', {
        remedy: 'Wait a minute and try again.',
        transient: true,
      });
    const isRight =
      (await this.#isFresh(name, secondFactor.secret, code)) ||
      (await this.#isRecovery(name, secondFactor.recovery, code));
    if (isRight) return;
    failures.tryTake(now);
    throw wrongCode();
  }

  /** Whether it is a code of now that is newer than every one that was used. */
  async #isFresh(name: string, secret: string, code: string): Promise<boolean> {
    const timestamp = this.clock.now();
    const token = code.replace(/\s/g, '');
    const delta = totp(secret, name).validate({ token, timestamp, window: WINDOW });
    if (delta === null) return false;
    const counter = TOTP.counter({ period: PERIOD_S, timestamp }) + delta;
    const key = `totp/${name}/${sortable(counter)}`;
    const used = await this.state.list(SPENT, { prefix: `totp/${name}/`, reverse: true });
    if (used[0] !== undefined && used[0].key >= key) return false;
    if (!(await this.state.putIfAbsent(SPENT, key, timestamp))) return false;
    await this.state.write(used.map((older) => SPENT.remove(older.key)));
    return true;
  }

  async #isRecovery(name: string, recovery: readonly Uint8Array[], code: string): Promise<boolean> {
    const digest = digestOf(plain(code));
    if (!recovery.some((known) => digest.equals(known))) return false;
    return this.state.putIfAbsent(SPENT, `recovery/${name}/${digest.toString('hex')}`, this.clock.now());
  }
}

/** Somebody without one, whose sessions, links and tokens have ended. */
function ended(user: StoredUser): StoredUser {
  const next: { -readonly [K in keyof StoredUser]: StoredUser[K] } = {
    ...user,
    generation: user.generation + 1,
  };
  delete next.pendingSecret;
  delete next.secondFactor;
  return next;
}

function totp(secret: string, name: string): TOTP {
  return new TOTP({ issuer: 'Pantau', label: name, period: PERIOD_S, secret: Secret.fromBase32(secret) });
}

/** As it is written on paper: 80 bits in groups of four letters and digits. */
function recoveryCode(): string {
  const { base32 } = new Secret({ buffer: new Uint8Array(randomBytes(RECOVERY_BYTES)).buffer });
  return base32.toLowerCase().replace(/(.{4})(?=.)/g, '$1-');
}

/** However it was typed. */
function plain(code: string): string {
  return code.toLowerCase().replace(/[^a-z2-7]/g, '');
}

function wrongCode(): PantauError {
  return new PantauError('SIGN_IN_REFUSED', 'the code is wrong, too old or was used before.', {
    remedy: 'Wait for the next one, and check the clock of the device.',
  });
}
