import { LmdbJournal } from '#libs/engine-lmdb';
import { Audit } from '#libs/identity';
import { DAY } from '#libs/kernel';
import { namespaceOf } from '#libs/testing';
import { createHash } from 'node:crypto';
import { PASSWORD, pipelined, serving, signedIn, signIn, type Served } from './gateway.fixture.js';

const newest = async ({ audit }: Served, limit = 1): Promise<readonly object[]> =>
  (await audit.page({ limit }, () => undefined)).items;
const statuses = (answers: readonly Response[]): number[] => answers.map(({ status }) => status).sort();

describe('requests that are refused', () => {
  it('are metered like others, by network, and told so as a problem with its headers', () =>
    serving({ trustProxy: ['127.0.0.1'] }, async ({ url, tokens }) => {
      const token = await tokens.create('dasbor', ['read']);
      const ask = (from: string, authorization?: string): Promise<Response> =>
        fetch(`${url}/api/v1/users`, {
          headers: { 'x-forwarded-for': from, ...(authorization === undefined ? {} : { authorization }) },
        });
      const left = async (...args: Parameters<typeof ask>): Promise<readonly [number, number]> => {
        const answer = await ask(...args);
        return [answer.status, Number(answer.headers.get('ratelimit-remaining'))];
      };
      // Each address of an IPv6 network is the same one.
      const flood = (count: number, from: (i: number) => string, authorization?: string): Promise<string[]> =>
        pipelined(
          url,
          Array.from({ length: count }, (_, i) => ({
            line: 'GET /api/v1/users',
            headers: {
              'x-forwarded-for': from(i),
              ...(authorization === undefined ? {} : { authorization }),
            },
          })),
        );
      await flood(300, (i) => `2001:db8::${i}`);
      const [refused, unused] = await left('2001:db8::ffff:2');
      expect([refused, unused < 1_900]).toEqual([401, true]);
      const bearer = `Bearer ${token}`;
      await flood(300, (i) => `10.0.1.${i % 250}`, bearer);
      const [forbidden, remaining] = await left('10.0.0.2', bearer);
      expect([forbidden, remaining < 1_900]).toEqual([403, true]);
      const answers = await flood(2_500, () => '10.0.0.3');
      const throttled = answers.find((answer) => answer.startsWith('429'))?.toLowerCase() ?? '';
      for (const header of [
        /^content-type: application\/problem\+json/m,
        /^retry-after: [1-9]/m,
        /^ratelimit-limit: 2000\r\nratelimit-remaining: 0\r\nratelimit-reset: \d+/m,
        /^vary: accept-language/m,
      ])
        expect(throttled).toMatch(header);
      const [, body = ''] = throttled.split('\r\n\r\n');
      expect(JSON.parse(body)).toMatchObject({ status: 429, code: 'overloaded', instance: '/api/v1/users' });
      expect((await ask('10.0.0.4')).status).toBe(401);
    }));

  it('are not those of a public route, whatever stale cookie the browser still has', () =>
    serving({}, async ({ url }) => {
      const cookie = `pantau_session=session_${'a'.repeat(16)}_${'a'.repeat(43)}`;
      const ask = () => fetch(`${url}/api/v1/session/open-id`, { headers: { cookie } });
      const answers = await Promise.all(Array.from({ length: 100 }, ask));
      expect(new Set(statuses(answers))).toEqual(new Set([404]));
    }));

  it('do not tell who has no token which devices there are', () =>
    serving({}, async ({ url, registry }) => {
      await registry.putSite({ id: 'betung', name: 'Betung' });
      const device = {
        id: 'udara-01',
        site: 'betung',
        kind: 'air',
        name: 'Udara',
        intervalMs: 60_000,
      } as const;
      await registry.putDevice(device);
      const ask = async (named: object): Promise<unknown> => {
        const answer = await fetch(`${url}/api/v1/session?${new URLSearchParams({ ...named }).toString()}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...named, name: 'ani', password: 'x' }),
        });
        return [answer.status, await answer.text()];
      };
      for (const member of ['device', 'site'])
        expect(await ask({ [member]: 'nobody' })).toEqual(
          await ask({ [member]: member === 'device' ? 'udara-01' : 'betung' }),
        );
    }));
});

describe('a token that is limited to sites', () => {
  it('is answered what names one of them or a device there, and nothing else', () =>
    serving({}, async ({ url, registry, tokens }) => {
      for (const [site, device] of [
        ['betung', 'udara-01'],
        ['sembawa', 'udara-02'],
      ] as const) {
        await registry.putSite({ id: site, name: site });
        await registry.putDevice({ id: device, site, kind: 'air', name: device, intervalMs: 60_000 });
      }
      const make = (sites: readonly string[]) =>
        tokens.create('t', ['read', 'operate'], DAY, undefined, sites);
      const ask = async (token: string, path: string): Promise<number> =>
        (await fetch(`${url}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
      const token = await make(['betung']);
      for (const path of [
        'sites/betung',
        'devices/udara-01',
        'devices?site=betung',
        'devices/udara-01/commands',
      ])
        expect([path, await ask(token, path)]).toEqual([path, 200]);
      for (const path of [
        ...['sites', 'sites?site=betung', 'sites/sembawa', 'sites/nobody', 'devices', 'devices?site=sembawa'],
        ...[
          'devices?site=betung&site=sembawa',
          'devices/udara-02',
          'devices/nobody',
          'devices/udara-02?site=betung',
        ],
        ...['devices/udara-02/commands', 'rules', 'users', 'live'],
      ])
        expect([path, await ask(token, path)]).toEqual([path, 403]);
      const none = await make([]);
      expect(await ask(none, 'sites/betung')).toBe(403);
      await expect(tokens.create('t', ['read', 'register'], DAY, undefined, ['betung'])).rejects.toThrow(
        /USAGE: .*register/,
      );
    }));
});

describe('the configuration of a device', () => {
  it('is replaced by one of those who saw the same, before and after the view has it', () =>
    serving({}, async ({ url, registry, state }) => {
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice({
        id: 'udara-01',
        site: 'betung',
        kind: 'air',
        name: 'U',
        intervalMs: 60_000,
      });
      const send = await signedIn(url);
      const path = 'devices/udara-01/configuration';
      const put = (fan: number, headers: Readonly<Record<string, string>>): Promise<Response> =>
        send('PUT', path, { body: { fan }, headers });
      const first = await Promise.all([1, 2, 3].map((i) => put(i, { 'if-none-match': '*' })));
      expect(statuses(first)).toEqual([202, 412, 412]);
      const { at, configuration } = (await first.find(({ ok }) => ok)!.json()) as {
        at: string;
        configuration: object;
      };
      const view = { site: 'betung', device: 'udara-01', at: Date.parse(at), configuration };
      await state.write([namespaceOf('gateway/configurations').put('udara-01', view)]);
      const etag = (await send('GET', path)).headers.get('etag')!;
      const next = await Promise.all([4, 5, 6].map((i) => put(i, { 'if-match': etag })));
      expect(statuses(next)).toEqual([202, 412, 412]);
      expect((await send('DELETE', path, { headers: { 'if-match': etag } })).status).toBe(412);
      expect((await put(9, {})).status).toBe(202);
    }));
});

describe('an idempotency key', () => {
  const link = { headers: { 'idempotency-key': 'kunci' } };
  it('that is too old is taken over by one of those who send it at the same instant', () =>
    serving({}, async ({ url, clock, users }) => {
      await users.put('budi', { role: 'viewer', disabled: false });
      const ask = await signedIn(url);
      expect((await ask('POST', 'users/budi/links', link)).status).toBe(201);
      clock.at += 2 * DAY;
      const send = await signedIn(url);
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => send('POST', 'users/budi/links', link)),
      );
      expect(statuses(answers)).toEqual([201, 409, 409, 409, 409, 409]);
    }));

  it('stays taken when what it was of failed, because it may have been done', () =>
    serving({}, async ({ url, registry, journal, state }) => {
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice({
        id: 'udara-01',
        site: 'betung',
        kind: 'air',
        name: 'U',
        intervalMs: 60_000,
      });
      const send = await signedIn(url);
      const command = { ...link, body: { name: 'reboot' } };
      await journal.close();
      expect((await send('POST', 'devices/udara-01/commands', command)).status).toBe(503);
      expect(await state.list(namespaceOf('gateway/idempotency'))).toHaveLength(1);
    }));

  it('keeps nothing of which a password could be found by trying', () =>
    serving({}, async ({ url, state }) => {
      const send = await signedIn(url);
      const body = { password: PASSWORD };
      expect((await send('POST', 'session/second-factor', { ...link, body })).status).toBe(201);
      const [row] = await state.list<{ digest: string }>(namespaceOf('gateway/idempotency'));
      const plain = createHash('sha256')
        .update(`POST /api/v1/session/second-factor\n${JSON.stringify(body)}`)
        .digest('base64url');
      expect(row?.value.digest).toMatch(/^[\w-]{43}$/);
      expect(row?.value.digest).not.toBe(plain);
    }));

  it(
    'is bounded for one principal, whatever becomes of the requests',
    () =>
      serving({}, async ({ url, tokens, registry }) => {
        await registry.putSite({ id: 'betung', name: 'Betung' });
        await registry.putDevice({
          id: 'udara-01',
          site: 'betung',
          kind: 'air',
          name: 'U',
          intervalMs: 60_000,
        });
        const authorization = `Bearer ${await tokens.create('dasbor', ['operate'])}`;
        const requests = Array.from({ length: 1_010 }, (_, i) => ({
          line: 'POST /api/v1/devices/udara-01/commands',
          headers: { authorization, 'idempotency-key': `k${i}` },
        }));
        const counts = new Map<number, number>();
        for (const answer of await pipelined(url, requests)) {
          const status = Number(answer.slice(0, 3));
          counts.set(status, (counts.get(status) ?? 0) + 1);
        }
        expect(Object.fromEntries(counts)).toEqual({ 400: 1_000, 429: 10 });
      }),
    60_000,
  );
});

describe('the audit log', () => {
  it('has an entry of what was done although it could not be written then, and nobody is let in meanwhile', () =>
    serving({}, async (served) => {
      const { url, journal, state, clock } = served;
      await journal.close();
      const answer = await signIn(url);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([503, null]);
      const again = await LmdbJournal.open({ state, clock, shards: 1 });
      const audit = new Audit(again, state, clock);
      const entries = async (): Promise<readonly object[]> =>
        (await audit.page({ limit: 10 }, () => undefined)).items;
      await audit.settle(() => undefined);
      expect(await entries()).toEqual([]);
      clock.at += 11 * 60_000;
      await audit.settle(() => undefined);
      await audit.settle(() => undefined);
      expect(await entries()).toMatchObject([
        { action: 'POST /api/v1/session', result: 'unknown', from: '127.0.0.1', at: clock.at },
      ]);
      await again.close();
    }));

  it('has what was done once, however often it is sent again', () =>
    serving({}, async (served) => {
      const { url, registry } = served;
      await registry.putSite({ id: 'betung', name: 'Betung' });
      await registry.putDevice({
        id: 'udara-01',
        site: 'betung',
        kind: 'air',
        name: 'U',
        intervalMs: 60_000,
      });
      const send = await signedIn(url);
      const command = { body: { name: 'reboot' }, headers: { 'idempotency-key': 'kunci' } };
      for (let i = 0; i < 3; i++)
        expect((await send('POST', 'devices/udara-01/commands', command)).status).toBe(202);
      const action = 'POST /api/v1/devices/{device}/commands';
      expect(await newest(served, 3)).toMatchObject([{ action }, { action: 'POST /api/v1/session' }]);
    }));
});
