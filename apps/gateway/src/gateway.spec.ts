import 'reflect-metadata';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import {
  Audit,
  OpenIdSignIn,
  type OpenIdOptions,
  Registry,
  SecondFactor,
  Sessions,
  SignIn,
  Tokens,
  Users,
} from '#libs/identity';
import { DAY, HOUR } from '#libs/kernel';
import { createLogger } from '#libs/platform';
import { startSignOnServer, temporaryFolder } from '#libs/testing';
import type { AddressInfo } from 'node:net';
import type { GatewayDependencies } from './dependencies.js';
import { gatewayApp } from './gateway.js';
import type { PublicAddress } from './http/cookie.js';

const PASSWORD = 'tujuh kuda di rawa';
const clock = { now: () => 1_700_000_000_000 };

/** The API over a state of its own, with somebody who can sign in. */
async function serving(
  publicUrl: PublicAddress | undefined,
  trustProxy: readonly string[],
  test: (url: string, sessions: () => Promise<{ readonly address: string }[]>) => Promise<void>,
  signOn?: OpenIdOptions,
): Promise<void> {
  using folder = temporaryFolder('gateway');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const users = new Users(state, clock);
  await users.useLink((await users.setupLink())!, PASSWORD, 'ani');
  const sessions = new Sessions(state, clock, users, {
    idleMs: HOUR,
    lifetimeMs: DAY,
    secondFactor: [],
  });
  const secondFactor = new SecondFactor(state, clock, users);
  const openId = signOn && new OpenIdSignIn(signOn, users);
  const known = {
    ...{ journal, state, users, sessions, publicUrl, clock, tokens: new Tokens(state, clock) },
    openId,
    ...{ registry: new Registry(state), evidence: { definitions: [] } },
    ...{ signIn: new SignIn(users, secondFactor, clock), secondFactor, audit: new Audit(journal, clock) },
  };
  const logger = createLogger('silent', 'spec');
  const app = await gatewayApp(known as unknown as GatewayDependencies, { trustProxy, logger });
  await app.listen(0, '127.0.0.1');
  try {
    const { port } = app.getHttpServer().address() as AddressInfo;
    await test(`http://127.0.0.1:${port}`, async () => sessions.list(await users.get('ani')));
  } finally {
    await app.close();
    await journal.close();
    await state.close();
  }
}

const signIn = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name: 'ani', password: PASSWORD }),
  });

describe('behind a reverse proxy', () => {
  it('one setting feeds the cookie, the check of origins and the path, which the proxy may keep or take off', () =>
    serving({ origin: 'https://pantau.example', path: '/udara' }, [], async (url) => {
      const right = { origin: 'https://pantau.example', 'sec-fetch-site': 'same-origin' };
      for (const base of [url, `${url}/udara`]) {
        const answer = await signIn(base, right);
        expect(answer.status).toBe(200);
        expect(answer.headers.get('set-cookie')).toMatch(
          /^pantau_session=\S+; Path=\/udara\/; HttpOnly; SameSite=Strict; Secure$/,
        );
        expect(answer.headers.get('strict-transport-security')).toContain('max-age=');
        const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
        expect((await fetch(`${base}/api/v1/session`, { headers: { cookie } })).status).toBe(200);
      }
      const wrong = await signIn(url, { ...right, origin: url });
      expect([wrong.status, await wrong.text()]).toEqual([
        403,
        expect.stringContaining('https://pantau.example'),
      ]);
      expect((await fetch(`${url}/udaraku/api/v1/session`)).status).toBe(404);
    }));

  it('believes the word of proxies that are named, and of nobody else', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7, 198.51.100.9', 'x-forwarded-proto': 'https' };
    await serving(undefined, [], async (url, sessions) => {
      expect((await signIn(url, forwarded)).headers.get('set-cookie')).not.toContain('Secure');
      expect(await sessions()).toMatchObject([{ address: '127.0.0.1' }]);
    });
    await serving(undefined, ['127.0.0.1'], async (url, sessions) => {
      expect((await signIn(url, forwarded)).headers.get('set-cookie')).toContain('Secure');
      // What stands left of the last address that is not trusted, anybody may have written.
      expect(await sessions()).toMatchObject([{ address: '198.51.100.9' }]);
    });
  });
});

describe('single sign-on', () => {
  it('sends the browser there and takes it back into a session, once, and only the browser that began', async () => {
    const address = { origin: 'https://pantau.example', path: '/udara' };
    const callback = `${address.origin}${address.path}/api/v1/session/open-id/callback`;
    const server = await startSignOnServer(callback);
    server.people.set('u-1', { name: 'Ani', groups: ['dlh'] });
    const options = {
      ...{ issuer: server.issuer, clientId: 'pantau', clientSecret: server.secret, scope: 'openid profile' },
      ...{ rolesClaim: 'groups', roles: { operator: ['dlh'] } },
    };
    try {
      await serving(
        address,
        [],
        async (url) => {
          const begin = async (): Promise<{ cookie: string; back: string }> => {
            const answer = await fetch(`${url}/api/v1/session/open-id`, { redirect: 'manual' });
            expect(answer.status).toBe(302);
            const set = answer.headers.get('set-cookie')!;
            expect(set).toMatch(
              /; Path=\/udara\/api\/v1\/session\/open-id; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/,
            );
            const back = await server.signOn(answer.headers.get('location')!, 'u-1');
            return {
              cookie: set.split(';')[0]!,
              back: back.replace(`${address.origin}${address.path}`, url),
            };
          };
          const finish = (back: string, cookie = ''): Promise<Response> =>
            fetch(back, { redirect: 'manual', headers: { cookie } });
          const [mine, other] = [await begin(), await begin()];
          expect((await finish(mine.back)).status).toBe(401);
          expect((await finish(mine.back, other.cookie)).status).toBe(401);
          const { cookie, back } = await begin();
          const answer = await finish(back, cookie);
          expect([answer.status, answer.headers.get('location')]).toEqual([302, '/udara/']);
          const session = answer.headers.getSetCookie().find((one) => one.startsWith('pantau_session='))!;
          const who = await fetch(`${url}/api/v1/session`, { headers: { cookie: session.split(';')[0]! } });
          expect(await who.json()).toMatchObject({ fullName: 'Ani', role: 'operator' });
          expect((await finish(back, cookie)).status).toBe(401);
        },
        options,
      );
    } finally {
      await server.close();
    }
  });
});
