import { startSignOnServer } from '#libs/testing';
import { pino } from 'pino';
import { serving, signIn } from './gateway.fixture.js';

describe('behind a reverse proxy', () => {
  it('one setting feeds the cookie, the check of origins and the path, which the proxy may keep or take off', () =>
    serving({ publicUrl: { origin: 'https://pantau.example', path: '/udara' } }, async ({ url }) => {
      const right = { origin: 'https://pantau.example', 'sec-fetch-site': 'same-origin' };
      for (const base of [url, `${url}/udara`]) {
        const answer = await signIn(base, right);
        expect(answer.status).toBe(200);
        expect(answer.headers.getSetCookie()[0]).toMatch(
          /^__Secure-pantau_session=\S+; Path=\/udara\/; HttpOnly; SameSite=Strict; Secure$/,
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
    await serving({}, async ({ url, sessions, users }) => {
      expect((await signIn(url, forwarded)).headers.get('set-cookie')).not.toContain('Secure');
      expect(await sessions.list(await users.get('ani'))).toMatchObject([{ address: '127.0.0.1' }]);
    });
    await serving({ trustProxy: ['127.0.0.1'] }, async ({ url, sessions, users }) => {
      expect((await signIn(url, forwarded)).headers.getSetCookie()[0]).toMatch(
        /^__Host-pantau_session=\S+; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      );
      // What stands left of the last address that is not trusted, anybody may have written.
      expect(await sessions.list(await users.get('ani'))).toMatchObject([{ address: '198.51.100.9' }]);
    });
  });

  it('knows no session by a name that a neighbouring host or a plain connection could have set', () =>
    serving({ publicUrl: { origin: 'https://pantau.example', path: '' } }, async ({ url }) => {
      const [name, value] = (await signIn(url)).headers.get('set-cookie')!.split(';')[0]!.split('=');
      expect(name).toBe('__Host-pantau_session');
      const ask = async (named: string): Promise<number> =>
        (await fetch(`${url}/api/v1/session`, { headers: { cookie: `${named}=${value}` } })).status;
      expect([await ask(name!), await ask('pantau_session')]).toEqual([200, 401]);
    }));

  it('warns where all people would be one address', async () => {
    const publicUrl = { origin: 'https://pantau.example', path: '' };
    for (const [trustProxy, warned] of [
      [[], true],
      [['127.0.0.1'], false],
    ] as const) {
      const lines: string[] = [];
      const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
      await serving({ publicUrl, trustProxy, logger }, async () => undefined);
      expect(lines.some((line) => line.includes('http.trustProxy'))).toBe(warned);
    }
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
      await serving({ publicUrl: address, signOn: options }, async ({ url, sessions, users }) => {
        const begin = async (session = ''): Promise<{ cookie: string; back: string }> => {
          const headers = { cookie: session };
          const answer = await fetch(`${url}/api/v1/session/open-id`, { redirect: 'manual', headers });
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
        const session = answer.headers
          .getSetCookie()
          .find((one) => one.startsWith('__Secure-pantau_session='))!;
        const who = await fetch(`${url}/api/v1/session`, { headers: { cookie: session.split(';')[0]! } });
        expect(await who.json()).toMatchObject({ fullName: 'Ani', role: 'operator' });
        expect((await finish(back, cookie)).status).toBe(401);

        // Who was signed in here before is no longer, and what the browser brings back is what it was given.
        const before = (await signIn(url)).headers.get('set-cookie')!.split(';')[0]!;
        const third = await begin(before);
        const [name, sealed = ''] = third.cookie.split('=');
        const changed = `${sealed.slice(0, 30)}${sealed[30] === 'A' ? 'B' : 'A'}${sealed.slice(31)}`;
        expect((await finish(third.back, `${name}=${changed}`)).status).toBe(401);
        expect(await sessions.list(await users.get('ani'))).toHaveLength(1);
        expect((await finish(third.back, third.cookie)).status).toBe(302);
        expect(await sessions.list(await users.get('ani'))).toEqual([]);
      });
    } finally {
      await server.close();
    }
  });
});
