import { LmdbStateStore } from '#libs/engine-lmdb';
import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import { Tokens } from '../tokens.js';
import { SecondFactor } from './second-factor.js';
import { Sessions } from './sessions.js';
import { SignIn } from './sign-in.js';
import { Users } from './users.js';

const PASSWORD = 'tujuh kuda di rawa';
const NEXT = 'delapan kuda di rawa';
const ORIGIN = { address: '127.0.0.1', agent: 'spec' };
const LIMITS = { idleMs: HOUR, lifetimeMs: DAY, secondFactor: [] };

interface Parts {
  readonly state: LmdbStateStore;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly tokens: Tokens;
  readonly clock: { at: number; now(): number };
}

async function withParts(test: (parts: Parts) => Promise<void>): Promise<void> {
  using folder = temporaryFolder('users');
  const state = LmdbStateStore.open(folder.path);
  const clock = { at: 1_700_000_000_000, now: () => clock.at };
  const users = new Users(state, clock);
  const sessions = new Sessions(state, clock, users, LIMITS);
  const tokens = new Tokens(state, clock);
  try {
    await test({
      state,
      users,
      sessions,
      tokens,
      clock,
      signIn: new SignIn(users, new SecondFactor(state, clock, users), clock),
    });
  } finally {
    await state.close();
  }
}

/** Somebody with a password. */
async function added({ users }: Parts, name = 'ani'): Promise<void> {
  await users.put(name, { role: 'operator', disabled: false });
  await users.useLink(await users.link(name), PASSWORD, undefined);
}

describe('the first administrator', () => {
  it('is whoever uses the link first; then no link is valid or made any more', () =>
    withParts(async ({ users }) => {
      const old = (await users.setupLink())!;
      const link = (await users.setupLink())!;
      await expect(users.useLink(old, PASSWORD, 'ani')).rejects.toThrow(/LINK_INVALID/);
      await expect(users.useLink(link, PASSWORD, undefined)).rejects.toThrow(/USAGE/);
      const racers = await Promise.allSettled(
        ['ani', 'budi'].map((name) => users.useLink(link, PASSWORD, name)),
      );
      expect(racers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await users.list()).toMatchObject([
        { role: 'administrator', disabled: false, hasPassword: true },
      ]);
      await expect(users.useLink(link, PASSWORD, 'citra')).rejects.toThrow(/LINK_INVALID/);
      expect(await users.setupLink()).toBeUndefined();
    }));

  it('is never the last to be taken away', () =>
    withParts(async ({ users }) => {
      await users.useLink((await users.setupLink())!, PASSWORD, 'ani');
      for (const change of [
        { role: 'viewer', disabled: false },
        { role: 'administrator', disabled: true },
      ] as const)
        await expect(users.put('ani', change)).rejects.toThrow(/LAST_ADMINISTRATOR/);
      await users.put('budi', { role: 'administrator', disabled: false });
      expect(await users.put('ani', { role: 'viewer', disabled: false })).toMatchObject({ role: 'viewer' });
    }));

  it('stays one when two take the role from each other at the same instant', () =>
    withParts(async ({ users }) => {
      await users.useLink((await users.setupLink())!, PASSWORD, 'ani');
      await users.put('budi', { role: 'administrator', disabled: false });
      const outcomes = await Promise.allSettled(
        ['ani', 'budi'].map((name) => users.put(name, { role: 'viewer', disabled: false })),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await users.list()).filter(({ role }) => role === 'administrator')).toHaveLength(1);
    }));
});

describe('a change of somebody', () => {
  it('undoes no other one of the same instant: a revocation stays, and ends what was begun', () =>
    withParts(async (parts) => {
      const { users, sessions } = parts;
      await added(parts);
      const { cookie } = await sessions.begin(await users.get('ani'), ORIGIN);
      const { generation } = await users.get('ani');
      await Promise.all([
        users.put('ani', { role: 'operator', disabled: true }),
        users.setPassword('ani', NEXT),
        users.endAll('ani'),
        users.change('ani', (user) => ({ ...user, pendingSecret: 'x' })),
      ]);
      expect(await users.get('ani')).toMatchObject({ disabled: true, generation: generation + 3 });
      expect(await sessions.verify(cookie)).toBeUndefined();
    }));

  it('does not bring back a session that ends while it is used', () =>
    withParts(async (parts) => {
      const { users, sessions, clock } = parts;
      await added(parts);
      const user = await users.get('ani');
      for (let i = 0; i < 20; i++) {
        const { cookie, session } = await sessions.begin(user, ORIGIN);
        clock.at += 2 * MINUTE;
        await Promise.all([
          sessions.verify(cookie),
          sessions.end('ani', session.id),
          sessions.verify(cookie),
        ]);
        expect(await sessions.list(user)).toEqual([]);
      }
    }));
});

describe('a link', () => {
  it('is valid once, for three days, and ends with the next one', () =>
    withParts(async (parts) => {
      const { users, clock } = parts;
      await added(parts);
      const [first, second] = [await users.link('ani'), await users.link('ani')];
      for (const link of [first, `${second.slice(0, -1)}_`, 'link', ''])
        await expect(users.useLink(link, NEXT, undefined)).rejects.toThrow(/LINK_INVALID/);
      expect(await users.useLink(second, NEXT, undefined)).toBe('ani');
      await expect(users.useLink(second, NEXT, undefined)).rejects.toThrow(/LINK_INVALID/);
      const next = await users.link('ani');
      clock.at += 3 * DAY;
      await expect(users.useLink(next, NEXT, undefined)).rejects.toThrow(/LINK_INVALID/);
      const disabled = await users.link('ani');
      await users.put('ani', { role: 'operator', disabled: true });
      await expect(users.useLink(disabled, NEXT, undefined)).rejects.toThrow(/LINK_INVALID/);
    }));

  it('stays valid while it has set no password, and sets one of several that are sent at the same instant', () =>
    withParts(async (parts) => {
      const { users, signIn } = parts;
      await added(parts);
      const link = await users.link('ani');
      await expect(users.useLink(link, 'pendek', undefined)).rejects.toThrow();
      const passwords = [1, 2, 3].map((n) => `${NEXT} ${n}`);
      const outcomes = await Promise.allSettled(
        passwords.map((password) => users.useLink(link, password, undefined)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const set = passwords[outcomes.findIndex(({ status }) => status === 'fulfilled')]!;
      expect(await signIn.verify('ani', set, '10.0.0.1')).toMatchObject({ name: 'ani' });
    }));
});

describe('a session', () => {
  it('ends when nothing is asked for an hour, and after a day in any case', () =>
    withParts(async (parts) => {
      const { users, sessions, clock } = parts;
      await added(parts);
      const begin = async (): Promise<string> =>
        (await sessions.begin(await users.get('ani'), ORIGIN)).cookie;
      const idle = await begin();
      clock.at += HOUR - MINUTE;
      expect(await sessions.verify(idle)).toMatchObject({ principal: { name: 'ani', kind: 'user' } });
      clock.at += HOUR - MINUTE;
      expect(await sessions.verify(idle)).toBeDefined();
      clock.at += HOUR;
      expect(await sessions.verify(idle)).toBeUndefined();
      // An open page looks whether it may stay; that is no use of the session.
      const watched = await begin();
      clock.at += HOUR - MINUTE;
      expect(await sessions.verify(watched, false)).toBeDefined();
      clock.at += 2 * MINUTE;
      expect(await sessions.verify(watched, false)).toBeUndefined();
      const busy = await begin();
      for (let passed = 0; passed < DAY; passed += 30 * MINUTE) {
        expect(await sessions.verify(busy)).toBeDefined();
        clock.at += 30 * MINUTE;
      }
      expect(await sessions.verify(busy)).toBeUndefined();
    }));

  it('lets a display link outlive a password, a role and the end of all sessions of who made it, and not that person', () =>
    withParts(async (parts) => {
      const { users, tokens } = parts;
      await users.put('budi', { role: 'administrator', disabled: false });
      await users.put('ani', { role: 'administrator', disabled: false });
      const link = async (): Promise<string> =>
        tokens.create('dinding', ['display'], DAY, await users.get('ani'));
      const holds = async (token: string): Promise<boolean> => (await tokens.verify(token)) !== undefined;
      const first = await link();
      await users.setPassword('ani', 'tujuh kuda di rawa');
      expect(await holds(first)).toBe(true);
      await users.put('ani', { role: 'viewer', disabled: false });
      expect(await holds(first)).toBe(true);
      await users.endAll('ani');
      expect(await holds(first)).toBe(true);
      await users.put('ani', { role: 'viewer', disabled: true });
      expect(await holds(first)).toBe(false);
      // Who comes back makes a new one.
      await users.put('ani', { role: 'administrator', disabled: false });
      expect(await holds(first)).toBe(false);
      const second = await link();
      expect(await holds(second)).toBe(true);
      await users.endAll('ani', true);
      expect(await holds(second)).toBe(false);
      const third = await link();
      await tokens.revoke('dinding');
      expect(await holds(third)).toBe(false);
    }));

  it('ends with another password, another role, revocation, or by its id; and so do tokens of that person', () =>
    withParts(async (parts) => {
      const { users, sessions, tokens } = parts;
      await added(parts);
      const ends: readonly (() => Promise<unknown>)[] = [
        () => users.setPassword('ani', NEXT),
        () => users.put('ani', { role: 'viewer', disabled: false }),
        () => users.endAll('ani'),
        () => users.put('ani', { role: 'viewer', disabled: true }),
      ];
      for (const end of ends) {
        const user = await users.get('ani');
        const { cookie } = await sessions.begin(user, ORIGIN);
        const token = await tokens.create('dasbor', ['read'], DAY, user);
        expect([await sessions.verify(cookie), await tokens.verify(token)]).toEqual([
          expect.anything(),
          expect.anything(),
        ]);
        await end();
        expect([await sessions.verify(cookie), await tokens.verify(token)]).toEqual([undefined, undefined]);
      }
      await users.put('ani', { role: 'viewer', disabled: false });
      const user = await users.get('ani');
      const { cookie, session } = await sessions.begin(user, ORIGIN);
      expect(await sessions.list(user)).toMatchObject([
        { id: session.id, address: '127.0.0.1', agent: 'spec' },
      ]);
      await expect(sessions.end('budi', session.id)).rejects.toThrow(/NOT_FOUND/);
      await sessions.end('ani', session.id);
      expect(await sessions.verify(cookie)).toBeUndefined();
    }));

  it('is one of at most twenty of a person, and its secret is stored nowhere', () =>
    withParts(async (parts) => {
      const { state, users, sessions, clock } = parts;
      await added(parts);
      const cookies: string[] = [];
      for (let i = 0; i < 21; i++) {
        clock.at++;
        cookies.push((await sessions.begin(await users.get('ani'), ORIGIN)).cookie);
      }
      expect(await sessions.list(await users.get('ani'))).toHaveLength(20);
      expect(await sessions.verify(cookies[0]!)).toBeUndefined();
      expect(await sessions.verify(cookies[1]!)).toBeDefined();
      const link = await users.link('ani');
      const rows = await Promise.all(
        ['users', 'sessions', 'links'].map((name) => state.list(namespaceOf(`identity/${name}`))),
      );
      const text = JSON.stringify(rows, (_name, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value,
      );
      expect(text).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
      for (const secret of [PASSWORD, ...[link, ...cookies].map((one) => one.slice(-43))])
        expect(text).not.toContain(secret);
    }));
});

describe('signing in', () => {
  it('says the same of a wrong password, of nobody, and of who was revoked or has no password', () =>
    withParts(async (parts) => {
      const { users, signIn } = parts;
      await added(parts);
      expect(await signIn.verify('ani', PASSWORD, '10.0.0.1')).toMatchObject({ name: 'ani' });
      await users.put('baru', { role: 'viewer', disabled: false });
      await added(parts, 'citra');
      await users.put('citra', { role: 'operator', disabled: true });
      const answers = await Promise.all(
        [
          ['ani', NEXT],
          ['nobody', PASSWORD],
          ['baru', PASSWORD],
          ['baru', ''],
          ['citra', PASSWORD],
        ].map(([name, password]) => signIn.verify(name!, password!, '10.0.0.1').catch(String)),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toContain('SIGN_IN_REFUSED');
    }));

  it('takes as long for nobody as for somebody', () =>
    withParts(async (parts) => {
      const { signIn } = parts;
      await added(parts);
      const time = async (name: string): Promise<number> => {
        const times: number[] = [];
        for (let i = 0; i < 9; i++) {
          const began = performance.now();
          await signIn.verify(name, NEXT, `10.0.${i}.1`).catch(() => undefined);
          times.push(performance.now() - began);
        }
        return times.sort((a, b) => a - b)[2]!;
      };
      await time('ani');
      const [somebody, nobody] = [await time('ani'), await time('nobody')];
      // Without a hash it would be a hundredth.
      expect(nobody / somebody).toBeGreaterThan(0.4);
      expect(nobody / somebody).toBeLessThan(2.5);
    }));

  it('keeps nobody out at an address from which somebody else guesses the passwords of many', () =>
    withParts(async (parts) => {
      const { signIn } = parts;
      await added(parts);
      for (let i = 0; i < 70; i++)
        await expect(signIn.verify(`nobody-${i}`, NEXT, '10.0.0.9')).rejects.toThrow(/SIGN_IN_REFUSED/);
      expect(await signIn.verify('ani', PASSWORD, '10.0.0.9')).toMatchObject({ name: 'ani' });
    }));

  it('keeps nobody out of a browser of his own, whoever guesses his password at the same address', () =>
    withParts(async (parts) => {
      const { users, signIn } = parts;
      await added(parts);
      const kept = await users.browsers.issue('ani');
      for (let i = 0; i < 6; i++)
        await signIn
          .verify('ani', NEXT, '10.0.0.9', undefined, await users.browsers.issue('budi'))
          .catch(() => 0);
      const enter = (browser?: string) => signIn.verify('ani', PASSWORD, '10.0.0.9', undefined, browser);
      for (const other of [undefined, await users.browsers.issue('budi'), `${kept.slice(0, -8)}AAAAAAAA`])
        await expect(enter(other)).rejects.toThrow(/OVERLOADED/);
      expect(await enter(kept)).toMatchObject({ name: 'ani' });
      // Whoever has the browser guesses no more than others.
      for (let i = 0; i < 5; i++)
        await expect(signIn.verify('ani', NEXT, '10.0.0.9', undefined, kept)).rejects.toThrow(
          /SIGN_IN_REFUSED/,
        );
      await expect(enter(kept)).rejects.toThrow(/OVERLOADED/);
    }));

  it('makes who guesses wait, and nobody else: not the same person elsewhere, nor others there', () =>
    withParts(async (parts) => {
      const { signIn, clock } = parts;
      await added(parts);
      await added(parts, 'budi');
      for (let i = 0; i < 5; i++)
        await expect(signIn.verify('ani', NEXT, '10.0.0.9')).rejects.toThrow(/SIGN_IN_REFUSED/);
      await expect(signIn.verify('ani', PASSWORD, '10.0.0.9')).rejects.toThrow(/OVERLOADED/);
      expect(await signIn.verify('ani', PASSWORD, '10.0.0.8')).toMatchObject({ name: 'ani' });
      expect(await signIn.verify('budi', PASSWORD, '10.0.0.9')).toMatchObject({ name: 'budi' });
      clock.at += MINUTE;
      expect(await signIn.verify('ani', PASSWORD, '10.0.0.9')).toMatchObject({ name: 'ani' });
    }));
});
