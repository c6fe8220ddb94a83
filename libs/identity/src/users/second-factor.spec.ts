import { LmdbStateStore } from '#libs/engine-lmdb';
import { DAY, HOUR, SECOND } from '#libs/kernel';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import { Secret, TOTP } from 'otpauth';
import { SecondFactor } from './second-factor.js';
import { Sessions } from './sessions.js';
import { SignIn } from './sign-in.js';
import { Users } from './users.js';

const PASSWORD = 'tujuh kuda di rawa';
const FROM = '10.0.0.1';

interface Parts {
  readonly state: LmdbStateStore;
  readonly users: Users;
  readonly signIn: SignIn;
  readonly secondFactor: SecondFactor;
  readonly sessions: Sessions;
  readonly clock: { at: number; now(): number };
  readonly code: (secret: string, later?: number) => string;
}

async function withParts(test: (parts: Parts) => Promise<void>): Promise<void> {
  using folder = temporaryFolder('second-factor');
  const state = LmdbStateStore.open(folder.path);
  const clock = { at: 1_700_000_010_000, now: () => clock.at };
  const users = new Users(state, clock);
  const secondFactor = new SecondFactor(state, clock, users);
  const limits = { idleMs: HOUR, lifetimeMs: DAY, secondFactor: ['administrator'] as const };
  try {
    await users.useLink((await users.setupLink())!, PASSWORD, 'ani');
    await test({
      ...{ state, users, secondFactor, clock },
      signIn: new SignIn(users, secondFactor, clock),
      sessions: new Sessions(state, clock, users, limits),
      code: (secret, later = 0) =>
        TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.at + later * SECOND }),
    });
  } finally {
    await state.close();
  }
}

async function enrolled(parts: Parts): Promise<{ secret: string; recovery: readonly string[] }> {
  const { secret } = await parts.secondFactor.begin('ani');
  return { secret, recovery: await parts.secondFactor.confirm('ani', parts.code(secret)) };
}

describe('a second factor', () => {
  it('counts once a code of it was seen, and then no password is enough alone', () =>
    withParts(async (parts) => {
      const { secondFactor, signIn, clock, code } = parts;
      const { secret, uri } = await secondFactor.begin('ani');
      expect(uri).toMatch(/^otpauth:\/\/totp\/Pantau:ani\?.*secret=/);
      expect(await signIn.verify('ani', PASSWORD, FROM)).toMatchObject({ name: 'ani' });
      await expect(secondFactor.confirm('ani', '000000')).rejects.toThrow(/SIGN_IN_REFUSED/);
      await secondFactor.confirm('ani', code(secret));
      clock.at += 30 * SECOND;
      await expect(signIn.verify('ani', PASSWORD, FROM)).rejects.toThrow(/SECOND_FACTOR_NEEDED/);
      await expect(signIn.verify('ani', 'another password', FROM)).rejects.toThrow(/SIGN_IN_REFUSED/);
      expect(await signIn.verify('ani', PASSWORD, FROM, code(secret))).toMatchObject({ name: 'ani' });
      await secondFactor.remove('ani');
      expect(await signIn.verify('ani', PASSWORD, FROM)).toMatchObject({ name: 'ani' });
    }));

  it('takes each code once, no older one than the last, and none of another time', () =>
    withParts(async (parts) => {
      const { signIn, clock, code } = parts;
      const { secret } = await enrolled(parts);
      const enter = (text: string): Promise<string> =>
        signIn.verify('ani', PASSWORD, FROM, text).then(() => 'in', String);
      // The code that confirmed it was used by that.
      expect(await enter(code(secret))).toContain('SIGN_IN_REFUSED');
      clock.at += 60 * SECOND;
      expect(await enter(code(secret, 90))).toContain('SIGN_IN_REFUSED');
      const racers = await Promise.all([enter(code(secret)), enter(code(secret))]);
      expect(racers.filter((outcome) => outcome === 'in')).toHaveLength(1);
      expect(await enter(code(secret, -30))).toContain('SIGN_IN_REFUSED');
      clock.at += 30 * SECOND;
      expect(await enter(code(secret))).toBe('in');
    }));

  it('has recovery codes, each for one time, of which only digests are stored', () =>
    withParts(async (parts) => {
      const { state, signIn } = parts;
      const { recovery } = await enrolled(parts);
      expect(new Set(recovery).size).toBe(10);
      const [code = '', other = ''] = recovery;
      expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
      expect(JSON.stringify(await state.list(namespaceOf('identity/users')))).not.toContain(code.slice(0, 9));
      const racers = await Promise.allSettled(
        [code, code.toUpperCase().replaceAll('-', ' ')].map((text) =>
          signIn.verify('ani', PASSWORD, FROM, text),
        ),
      );
      expect(racers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await expect(signIn.verify('ani', PASSWORD, FROM, code)).rejects.toThrow(/SIGN_IN_REFUSED/);
      expect(await signIn.verify('ani', PASSWORD, FROM, other)).toMatchObject({ name: 'ani' });
    }));

  it('cannot be guessed from many addresses', () =>
    withParts(async (parts) => {
      const { signIn } = parts;
      await enrolled(parts);
      const outcomes: string[] = [];
      for (let i = 0; i < 12; i++)
        outcomes.push(await signIn.verify('ani', PASSWORD, `10.0.${i}.1`, '000000').then(String, String));
      expect(outcomes.filter((one) => one.includes('SIGN_IN_REFUSED'))).toHaveLength(10);
      expect(outcomes.at(-1)).toContain('OVERLOADED');
    }));

  it('may be required of a role: without one somebody looks after the own account and nothing else', () =>
    withParts(async (parts) => {
      const { users, sessions, secondFactor } = parts;
      const permissions = async (name: string): Promise<readonly string[]> =>
        (await sessions.begin(await users.get(name), { address: FROM })).session.principal.permissions;
      expect(await permissions('ani')).toEqual(['self']);
      await enrolled(parts);
      expect(await permissions('ani')).toContain('administer');
      await secondFactor.remove('ani');
      const ani = await users.get('ani');
      // The sign-on server looked at one, for that session alone: the password of the same person is not enough.
      const ways = [{ isSignOn: true }, {}].map((way) => sessions.begin(ani, { address: FROM, ...way }));
      const [bySignOn, byPassword] = await Promise.all(ways);
      expect((await sessions.verify(bySignOn!.cookie))?.secondFactor).toBe('none');
      expect((await sessions.verify(byPassword!.cookie))?.principal.permissions).toEqual(['self']);
      await users.put('budi', { role: 'viewer', disabled: false });
      expect(await permissions('budi')).toEqual(['display', 'read', 'self']);
    }));
});
