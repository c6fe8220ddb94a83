import { LmdbStateStore } from '#libs/engine-lmdb';
import { startSignOnServer, temporaryFolder, type SignOnServer } from '#libs/testing';
import { OpenIdSignIn, type OpenIdAttempt } from './open-id.js';
import { Users } from './users.js';

const CALLBACK = 'http://127.0.0.1/api/v1/session/open-id/callback';
const clock = { now: () => 1_700_000_000_000 };

interface Parts {
  readonly state: LmdbStateStore;
  readonly users: Users;
  readonly openId: OpenIdSignIn;
  readonly server: SignOnServer;
  /** Signs somebody in there. @returns where the browser comes back to, and what it kept */
  readonly signedOn: (person: string) => Promise<{ back: string; attempt: OpenIdAttempt }>;
  /** All the way. @returns the account here */
  readonly enter: (person: string) => Promise<{ name: string; role: string; fullName?: string }>;
}

async function withServer(test: (parts: Parts) => Promise<void>): Promise<void> {
  using folder = temporaryFolder('open-id');
  const state = LmdbStateStore.open(folder.path);
  const server = await startSignOnServer(CALLBACK);
  const users = new Users(state, clock);
  const openId = new OpenIdSignIn(
    {
      ...{ issuer: server.issuer, clientId: 'pantau', clientSecret: server.secret, scope: 'openid profile' },
      ...{
        rolesClaim: 'groups',
        roles: { administrator: ['dlh-admin'], operator: ['dlh'], viewer: ['warga'] },
      },
    },
    users,
  );
  const signedOn = async (person: string): ReturnType<Parts['signedOn']> => {
    const { url, attempt } = await openId.begin(CALLBACK);
    return { back: await server.signOn(url, person), attempt };
  };
  try {
    await test({
      ...{ state, users, openId, server, signedOn },
      enter: async (person) => {
        const { back, attempt } = await signedOn(person);
        return openId.finish(back, attempt);
      },
    });
  } finally {
    await server.close();
    await state.close();
  }
}

describe('single sign-on', () => {
  it('gives who signs in there the strongest role of the groups there, as they are now', () =>
    withServer(async ({ server, enter, users }) => {
      server.people.set('u-1', { name: 'Ani', groups: ['warga', 'dlh'] });
      const first = await enter('u-1');
      expect(first).toMatchObject({ role: 'operator', fullName: 'Ani' });
      server.people.set('u-1', { name: 'Ani', groups: 'warga' });
      expect(await enter('u-1')).toMatchObject({ name: first.name, role: 'viewer' });
      // A server that says nothing of groups changes nothing.
      server.people.set('u-1', { name: 'Ani' });
      expect(await enter('u-1')).toMatchObject({ role: 'viewer' });
      const { generation } = await users.get(first.name);
      for (const groups of [['others'], []]) {
        server.people.set('u-1', { name: 'Ani', groups });
        await expect(enter('u-1')).rejects.toThrow(/SIGN_IN_REFUSED.*groups/);
      }
      // What was begun with the groups of before ended with them: sessions, links, tokens.
      expect((await users.get(first.name)).generation).toBeGreaterThan(generation);
      server.people.set('u-2', { name: 'Budi' });
      await expect(enter('u-2')).rejects.toThrow(/SIGN_IN_REFUSED/);
      expect(await users.list()).toHaveLength(1);
    }));

  it('takes nobody for somebody else, whatever name was chosen there', () =>
    withServer(async ({ server, enter, users }) => {
      await users.useLink((await users.setupLink())!, 'tujuh kuda di rawa', 'ani');
      server.people.set('ani', { name: 'ani', preferred_username: 'ani', groups: ['warga'] });
      expect((await enter('ani')).name).toMatch(/^sso-[a-f0-9]{24}$/);
      expect(await users.get('ani')).toMatchObject({ role: 'administrator' });
    }));

  it('lets nobody in who is disabled here, and never takes the last administrator away', () =>
    withServer(async ({ server, enter, users }) => {
      server.people.set('u-1', { name: 'Ani', groups: ['dlh-admin'] });
      const { name } = await enter('u-1');
      server.people.set('u-1', { name: 'Ani', groups: ['warga'] });
      expect(await enter('u-1')).toMatchObject({ role: 'administrator' });
      await users.put('budi', { role: 'administrator', disabled: false });
      expect(await enter('u-1')).toMatchObject({ role: 'viewer' });
      await users.put(name, { role: 'viewer', disabled: true });
      server.people.set('u-1', { name: 'Ani', groups: ['dlh-admin'] });
      await expect(enter('u-1')).rejects.toThrow(/SIGN_IN_REFUSED/);
      expect(await users.get(name)).toMatchObject({ role: 'viewer', disabled: true });
    }));

  it('undoes no revocation of the same instant', () =>
    withServer(async ({ state, server, signedOn, openId, users }) => {
      server.people.set('u-1', { name: 'Ani', groups: ['warga'] });
      const first = await signedOn('u-1');
      const { name } = await openId.finish(first.back, first.attempt);
      const find = users.find.bind(users);
      for (const groups of ['dlh', 'warga']) {
        server.people.set('u-1', { name: `Ani ${groups}`, groups });
        const { back, attempt } = await signedOn('u-1');
        // Somebody else revokes as soon as the sign-in has read who it is.
        let revoking: Promise<unknown> | undefined;
        users.find = async (wanted) => {
          const user = await find(wanted);
          if (wanted === name) revoking ??= other.put(name, { role: 'viewer', disabled: true });
          await revoking;
          return user;
        };
        const other = new Users(state, clock);
        await openId.finish(back, attempt).catch(() => undefined);
        users.find = find;
        expect(await users.get(name)).toMatchObject({ disabled: true });
        await users.put(name, { role: 'viewer', disabled: false });
      }
    }));

  it('refuses an answer of another attempt, one that comes twice, and one that was made up', () =>
    withServer(async ({ server, openId, signedOn }) => {
      server.people.set('u-1', { name: 'Ani', groups: ['dlh'] });
      const [mine, other] = [await signedOn('u-1'), await signedOn('u-1')];
      const refused = expect.objectContaining({ code: 'SIGN_IN_REFUSED' });
      await expect(openId.finish(mine.back, other.attempt)).rejects.toEqual(refused);
      await expect(openId.finish(mine.back, { ...mine.attempt, nonce: 'x' })).rejects.toEqual(refused);
      await expect(openId.finish(mine.back, mine.attempt)).rejects.toEqual(refused);
      const made = `${CALLBACK}?code=x&state=${other.attempt.state}`;
      await expect(openId.finish(made, other.attempt)).rejects.toEqual(refused);
      const again = await signedOn('u-1');
      expect(await openId.finish(again.back, again.attempt)).toMatchObject({ role: 'operator' });
      await expect(openId.finish(again.back, again.attempt)).rejects.toEqual(refused);
    }));

  it('says that the server is away, and goes on when it is back', () =>
    withServer(async ({ server, openId, enter }) => {
      server.people.set('u-1', { name: 'Ani', groups: ['dlh'] });
      server.away = true;
      await expect(openId.begin(CALLBACK)).rejects.toMatchObject({
        code: 'SIGN_ON_UNAVAILABLE',
        transient: true,
      });
      server.away = false;
      expect(await enter('u-1')).toMatchObject({ role: 'operator' });
    }));
});
