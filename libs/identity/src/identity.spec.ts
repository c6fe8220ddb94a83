import { LmdbStateStore } from '#libs/engine-lmdb';
import { namespaceOf, temporaryFolder } from '#libs/testing';
import { createHash } from 'node:crypto';
import { DeviceCredentials } from './device-credentials.js';
import { DeviceTokens } from './device-tokens.js';
import { Registry } from './registry.js';
import { Tokens } from './tokens.js';

const clock = { now: () => 1_700_000_000_000 };
/** Of a token that is made now, unless somebody decides otherwise. */
const ENDS = clock.now() + 90 * 86_400_000;

async function withState(test: (state: LmdbStateStore) => Promise<void>): Promise<void> {
  using folder = temporaryFolder('identity');
  const state = LmdbStateStore.open(folder.path);
  await test(state);
  await state.close();
}

describe('DeviceCredentials', () => {
  it('verifies the issued password again and again, and no other', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      const password = await credentials.issue('udara-01');
      expect(await credentials.verify('udara-01', password)).toBe(true);
      expect(await credentials.verify('udara-01', password)).toBe(true);
      expect(await credentials.verify('udara-01', `${password}x`)).toBe(false);
      expect(await credentials.verify('udara-02', password)).toBe(false);
    }));

  it('forgets a password that was rotated or revoked, also one that was verified before', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      const old = await credentials.issue('udara-01');
      expect(await credentials.verify('udara-01', old)).toBe(true);
      // Another process rotates; this one must notice.
      const next = await new DeviceCredentials(state, clock).issue('udara-01');
      expect(await credentials.verify('udara-01', old)).toBe(false);
      expect(await credentials.verify('udara-01', next)).toBe(true);
      await credentials.revoke('udara-01');
      expect(await credentials.verify('udara-01', next)).toBe(false);
    }));

  it('begins a generation of its own with each change of the same instant', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      const changes = [1, 2, 3].flatMap(() => [
        credentials.set('udara-01', 'rahasia'),
        credentials.revoke('udara-01'),
      ]);
      await Promise.all(changes);
      expect(await credentials.access('udara-01')).toMatchObject({ generation: 6 });
    }));

  it('stores neither the password nor anything that two devices with one password share', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      await credentials.set('a', 'rahasia-sama');
      await credentials.set('b', 'rahasia-sama');
      const [a, b] = await state.getMany<{ hash: Buffer }>(namespaceOf('identity/device-credentials'), [
        'a',
        'b',
      ]);
      expect(JSON.stringify([a, b])).not.toContain('rahasia');
      expect(a!.hash.equals(b!.hash)).toBe(false);
    }));
});

describe('what cannot be read of identity', () => {
  it('keeps a device out whose access cannot be read, until it gets a password anew', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      await credentials.issue('udara-01');
      await state.write([
        {
          namespace: 'identity/device-access',
          key: 'udara-01',
          value: { generation: 'one', revoked: false },
        },
      ]);
      const { revoked, generation } = await credentials.access('udara-01');
      expect(revoked).toBe(true);
      await credentials.issue('udara-01');
      expect(await credentials.access('udara-01')).toEqual({ generation: generation + 1, revoked: false });
      expect(generation).toBeGreaterThan(1_000_000);
    }));

  it('signs with another secret when the one of before cannot be read', () =>
    withState(async (state) => {
      const credentials = new DeviceCredentials(state, clock);
      await credentials.issue('udara-01');
      await state.write([{ namespace: 'identity/secrets', key: 'pantau:mqtt', value: 'no bytes' }]);
      const tokens = new DeviceTokens(state, credentials, clock);
      const token = await tokens.issue('udara-01', 60_000);
      expect(await tokens.verify('udara-01', token)).toBe(true);
      expect(await new DeviceTokens(state, credentials, clock).verify('udara-01', token)).toBe(true);
    }));

  it('knows no token, user or password of another shape', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      const token = await tokens.create('budi', ['read']);
      const stored = await state.get(namespaceOf<object>('identity/tokens'), 'budi');
      const short = { ...stored, digest: new Uint8Array(31) };
      await state.write([{ namespace: 'identity/tokens', key: 'budi', value: short }]);
      expect(await tokens.verify(token)).toBeUndefined();
      await state.write([
        { namespace: 'identity/device-credentials', key: 'udara-01', value: { hash: 'x' } },
      ]);
      expect(await new DeviceCredentials(state, clock).verify('udara-01', 'x')).toBe(false);
    }));
});

describe('Tokens', () => {
  it('makes no token that would be refused: a name that does not fit is refused, with the remedy', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      for (const name of ['Budi', '', 'a b', 'budi_2', 'x'.repeat(64), 'é', 'a\n'])
        await expect(tokens.create(name, ['read'])).rejects.toThrow(/USAGE: .*lower-case letters/s);
      for (const name of ['budi', '-', '0', 'x'.repeat(63)])
        expect(await tokens.verify(await tokens.create(name, ['read']))).toEqual({
          name,
          kind: 'token',
          permissions: ['read'],
          expiresAt: ENDS,
        });
    }));

  it('knows a token by name and scopes, none of which allows nothing, and refuses every other text', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      const token = await tokens.create('diskominfo', ['operate', 'read']);
      expect(await tokens.verify(token)).toEqual({
        name: 'diskominfo',
        kind: 'token',
        permissions: ['read', 'operate'],
        expiresAt: ENDS,
      });
      const other = await tokens.create('bappeda', []);
      expect(await tokens.verify(other)).toMatchObject({ permissions: [] });
      for (const wrong of [
        '',
        'pantau_',
        token.slice(0, -1),
        `${token}a`,
        token.replace('diskominfo', 'bappeda'),
        other.replace('bappeda', 'nobody'),
      ]) {
        expect(await tokens.verify(wrong)).toBeUndefined();
      }
    }));

  it('gives out the first admin token exactly once', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      const made = await Promise.all([tokens.createFirstAdmin(), tokens.createFirstAdmin()]);
      expect(made.filter((token) => token !== undefined)).toHaveLength(1);
      expect(await tokens.createFirstAdmin()).toBeUndefined();
      expect(await tokens.verify(made.find((token) => token !== undefined)!)).toEqual({
        name: 'first-admin',
        kind: 'token',
        permissions: ['read', 'examine', 'operate', 'register', 'administer'],
        expiresAt: ENDS,
      });
    }));

  it('never makes a first admin token again, also not after it was revoked, nor where an earlier version had made it', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      expect(await tokens.createFirstAdmin()).toBeDefined();
      await tokens.revoke('first-admin');
      expect(await new Tokens(state, clock).createFirstAdmin()).toBeUndefined();
      // Earlier versions did not note it: somebody is there, so this is no first start.
      await state.write([{ namespace: 'identity/spent', key: 'token/first-admin', value: undefined }]);
      await tokens.create('dasbor', ['read']);
      expect(await tokens.createFirstAdmin()).toBeUndefined();
      await tokens.revoke('dasbor');
      expect(await tokens.createFirstAdmin()).toBeUndefined();
    }));

  it('holds nothing that lets a token outlive its end, whatever its row says', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      for (const scope of ['mint', 'self', 'manage-users'] as const)
        await expect(tokens.create('x', ['read', scope])).rejects.toThrow(`no token may hold ${scope}`);
      const token = await tokens.create('dasbor', ['read']);
      const rows = namespaceOf<object>('identity/tokens');
      const scopes = ['read', 'mint', 'manage-users'];
      await state.write([rows.put('dasbor', { ...(await state.get(rows, 'dasbor')), scopes })]);
      expect(await tokens.verify(token)).toMatchObject({ permissions: ['read'] });
    }));

  it('is of nobody where what limits it cannot be read', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      const token = await tokens.create('dasbor', ['read'], undefined, undefined, ['betung']);
      expect(await tokens.verify(token)).toMatchObject({ permissions: ['read'], sites: ['betung'] });
      const rows = namespaceOf<object>('identity/tokens');
      await state.write([rows.put('dasbor', { ...(await state.get(rows, 'dasbor')), sites: 'betung' })]);
      expect(await tokens.verify(token)).toBeUndefined();
    }));

  it('ends a token when its time is over or it is revoked, and says when it was used last', () =>
    withState(async (state) => {
      let now = 1_700_000_000_000;
      const tokens = new Tokens(state, { now: () => now });
      const token = await tokens.create('bappeda', ['read'], 3_600_000);
      const view = { name: 'bappeda', scopes: ['read'], createdAt: now, expiresAt: now + 3_600_000 };
      expect(await tokens.list()).toEqual([view]);
      now += 3_599_999;
      expect(await tokens.verify(token)).toBeDefined();
      expect(await tokens.list()).toEqual([{ ...view, lastUsedAt: now }]);
      now += 1;
      expect(await tokens.verify(token)).toBeUndefined();
      const next = await tokens.create('bappeda', ['read']);
      await tokens.revoke('bappeda');
      expect(await tokens.verify(next)).toBeUndefined();
      await expect(tokens.revoke('bappeda')).rejects.toThrow(/NOT_FOUND/);
      expect(await tokens.list()).toEqual([]);
    }));

  it('makes no display link that can do more, and reads of a row that says so what is left without it', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      for (const scopes of [
        ['display', 'read'],
        ['administer', 'display'],
      ] as const)
        await expect(tokens.create('dinding', scopes)).rejects.toMatchObject({
          code: 'USAGE',
          message: expect.stringContaining('a token that holds display holds nothing else'),
          fields: [{ field: 'scopes', message: 'expected display alone, or without it' }],
        });
      const token = await tokens.create('dinding', ['display']);
      expect(await tokens.verify(token)).toMatchObject({ permissions: ['display'] });
      const rows = namespaceOf<object>('identity/tokens');
      const row = await state.get(rows, 'dinding');
      await state.write([rows.put('dinding', { ...row, scopes: ['display', 'read'] })]);
      expect(await tokens.verify(token)).toMatchObject({ permissions: ['read'] });
    }));

  it('takes the tokens of earlier versions, with what their roles allow', () =>
    withState(async (state) => {
      const tokens = new Tokens(state, clock);
      const secret = 's'.repeat(43);
      const digest = createHash('sha256').update(secret).digest();
      for (const role of ['admin', 'operator', 'evaluator', 'emperor']) {
        const value = { name: role, role, digest, createdAt: 1 };
        await state.write([{ namespace: 'identity/tokens', key: role, value }]);
      }
      const permissions = async (name: string): Promise<readonly string[] | undefined> =>
        (await tokens.verify(`pantau_${name}_${secret}`))?.permissions;
      expect(await permissions('admin')).toEqual(['read', 'examine', 'operate', 'register', 'administer']);
      expect(await permissions('operator')).toEqual(['read', 'examine', 'operate']);
      expect(await permissions('evaluator')).toEqual(['read', 'examine']);
      expect(await permissions('emperor')).toEqual([]);
    }));
});

describe('Registry', () => {
  it('keeps sites and devices, and refuses a device of an unknown site by name', () =>
    withState(async (state) => {
      const registry = new Registry(state);
      const device = {
        id: 'udara-01',
        site: 'talang-kelapa',
        kind: 'air',
        name: 'Udara 1',
        intervalMs: 60_000,
      } as const;
      await expect(registry.putDevice(device)).rejects.toThrow(
        /SITE_UNKNOWN: no site talang-kelapa is registered\. Add a new one: pantau site add/,
      );
      await registry.putSite({ id: 'talang-kelapa', name: 'Talang Kelapa' });
      await registry.putDevice(device);
      expect(await registry.device('udara-01')).toEqual(device);
      expect(await registry.devices()).toEqual([device]);
      expect(await registry.device('udara-02')).toBeUndefined();
    }));

  it('names the nearest site to one that is not registered', () =>
    withState(async (state) => {
      const registry = new Registry(state);
      for (const id of ['talang-kelapa', 'betung', 'pangkalan-balai'])
        await registry.putSite({ id, name: id });
      for (const [typed, meant] of [
        ['talang-klapa', 'talang-kelapa'],
        ['betugn', 'betung'],
        ['pangkalan', undefined],
        ['zzzz', undefined],
      ] as const) {
        const asked = registry.assertSite(typed);
        await expect(asked).rejects.toThrow(`no site ${typed} is registered`);
        if (meant !== undefined) await expect(asked).rejects.toThrow(`Did you mean ${meant}?`);
        else if (typed === 'zzzz') await expect(asked).rejects.toThrow(/^(?!.*Did you mean)/);
      }
    }));

  it('has a revision that every change replaces and nothing else', () =>
    withState(async (state) => {
      const registry = new Registry(state);
      const seen = [await registry.revision()];
      await registry.putSite({ id: 'betung', name: 'Betung' });
      seen.push(await registry.revision());
      const device = {
        id: 'udara-01',
        site: 'betung',
        kind: 'air',
        name: 'Udara',
        intervalMs: 60_000,
      } as const;
      await registry.putDevice(device);
      seen.push(await registry.revision());
      await expect(registry.putDevice({ ...device, site: 'nowhere' })).rejects.toThrow('SITE_UNKNOWN');
      expect(await new Registry(state).revision()).toBe(seen.at(-1));
      expect(new Set(seen).size).toBe(3);
    }));
});
