import {
  PERMISSION_NAMES,
  permissionsOf,
  rolesWith,
  ROLES,
  TOKEN_SCOPES,
  type Permission,
  type Role,
} from '#libs/identity';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { Secret, TOTP } from 'otpauth';
import { routesOf, statusOf, type Route } from './authorisation.fixture.js';
import { Browser } from './browser.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

const endsItself = ({ method, path }: Route): boolean => method === 'DELETE' && path === '/api/v1/session';

const PASSWORD = 'tujuh kuda di rawa';

/** The first administrator, who takes the link that the start printed. */
let administrator: Browser;
describe('the first administrator', () => {
  it('takes the link that the start prints and writes into a file of its owner alone, once', async () => {
    const [, link = ''] = /first administrator: \S+\/link#(\S+)/.exec(pantau.printed) ?? [];
    const file = pantau.file('data/setup-link.txt');
    expect(readFileSync(file, 'utf8')).toContain(link);
    expect(statSync(file).mode & 0o077).toBe(0);
    administrator = new Browser(pantau.api);
    const use = (name: string): ReturnType<Browser['send']> =>
      administrator.send('POST', 'links', { link, name, password: PASSWORD });
    expect(await use('Tidak Sah')).toMatchObject({ status: 400, body: { errors: [{ field: 'name' }] } });
    expect(
      await administrator.send('POST', 'links', { link, name: 'ani', password: 'pendek' }),
    ).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'password' }] },
    });
    const racers = await Promise.all([use('ani'), use('ani')]);
    expect(racers.map(({ status }) => status).sort()).toEqual([200, 404]);
    expect(await use('budi')).toMatchObject({ status: 404, body: { code: 'LINK_INVALID' } });
    expect(await administrator.signIn('ani', PASSWORD)).toMatchObject({
      status: 200,
      body: { user: 'ani', permissions: [...PERMISSION_NAMES] },
    });
  });
});

/** Adds somebody through the API, who then signs in. */
async function signedIn(name: string, role: Role): Promise<Browser> {
  expect(await administrator.send('PUT', `users/${name}`, { role })).toMatchObject({ status: 200 });
  const { body } = await administrator.send<{ link: string }>('POST', `users/${name}/links`);
  const browser = new Browser(pantau.api);
  expect(await browser.send('POST', 'links', { link: body.link, password: PASSWORD })).toMatchObject({
    status: 200,
    body: { user: name },
  });
  expect((await browser.signIn(name, PASSWORD)).status).toBe(200);
  return browser;
}

describe('a session', () => {
  it('is in a cookie that no script and no other site gets, and is a new one at every sign-in', async () => {
    const browser = await signedIn('dewi', 'operator');
    const before = browser.cookie;
    // Fixation: what an attacker planted is not what is used after signing in, and ends.
    const answer = await browser.signIn('dewi', PASSWORD);
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^pantau_session=session_[a-f0-9]{16}_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(browser.cookie).not.toBe(before);
    expect((await browser.send('GET', 'session', undefined, { cookie: before })).status).toBe(401);
    const planted = new Browser(pantau.api);
    planted.cookie = `pantau_session=session_${'a'.repeat(16)}_${'a'.repeat(43)}`;
    await planted.signIn('dewi', PASSWORD);
    expect(planted.cookie).not.toContain('aaaa');
    const { body } = await browser.send<{ items: { id: string; isThis: boolean }[] }>('GET', 'sessions');
    expect(body.items.map(({ isThis }) => isThis).sort()).toEqual([false, true]);
    const other = body.items.find(({ isThis }) => !isThis)!;
    expect((await browser.send('DELETE', `sessions/${other.id}`)).status).toBe(200);
    expect((await planted.send('GET', 'session')).status).toBe(401);
    const changed = { current: PASSWORD, password: 'delapan kuda di rawa' };
    const old = browser.cookie;
    expect((await browser.send('PUT', 'session/password', changed)).status).toBe(200);
    expect((await browser.send('GET', 'session', undefined, { cookie: old })).status).toBe(401);
    expect((await browser.send('GET', 'session')).status).toBe(200);
    expect((await browser.send('DELETE', 'session')).headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await browser.send('GET', 'sessions', undefined, { cookie: old })).status).toBe(401);
  });

  it('changes nothing for another site, nor without its token', async () => {
    const browser = await signedIn('eko', 'administrator');
    const put = (headers: Readonly<Record<string, string | undefined>>): ReturnType<Browser['send']> =>
      browser.send('PUT', 'sites/betung', { name: 'Betung' }, headers);
    const refused = { status: 403, body: { code: 'CROSS_SITE_REFUSED' } };
    for (const headers of [
      { 'x-csrf-token': undefined },
      { 'x-csrf-token': 'x' },
      { 'x-csrf-token': administrator.csrfToken },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://jahat.example' },
      { origin: 'null' },
    ])
      expect([headers, await put(headers)]).toMatchObject([headers, refused]);
    expect(await put({ origin: 'https://jahat.example' })).toMatchObject({
      body: { detail: expect.stringMatching(/https:\/\/jahat\.example.*http:\/\/127\.0\.0\.1:\d+/) },
    });
    expect((await put({})).status).toBe(200);
    // A program says nothing of where it comes from.
    expect((await put({ origin: undefined, 'sec-fetch-site': undefined })).status).toBe(200);
    // Nor is anybody signed in by another site.
    const signIn = await browser.send(
      'POST',
      'session',
      { name: 'eko', password: PASSWORD },
      { 'sec-fetch-site': 'cross-site' },
    );
    expect(signIn).toMatchObject(refused);
  });

  it('ends with its live events within seconds when it is revoked', async () => {
    const browser = await signedIn('fajar', 'viewer');
    const request = httpGet(`${pantau.api}/v1/live`, { headers: { cookie: browser.cookie } });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const ended = new Promise<void>((resolve) => answer.once('close', () => resolve()));
    answer.on('error', () => undefined);
    answer.resume();
    const began = performance.now();
    expect((await administrator.send('DELETE', 'users/fajar/sessions')).status).toBe(200);
    await ended;
    expect(performance.now() - began).toBeLessThan(20_000);
    expect((await browser.send('GET', 'session')).status).toBe(401);
  });
});

describe('a second factor', () => {
  it('is set up with the password and a code, asked for at the next sign-in, and taken away by an administrator', async () => {
    const kiki = await signedIn('kiki', 'operator');
    expect(
      await kiki.send('POST', 'session/second-factor', { password: 'bukan ini kata sandinya' }),
    ).toMatchObject({
      status: 401,
    });
    const begun = await kiki.send<{ secret: string }>('POST', 'session/second-factor', {
      password: PASSWORD,
    });
    expect(begun.status).toBe(201);
    const before = kiki.cookie;
    const code = TOTP.generate({ secret: Secret.fromBase32(begun.body.secret) });
    const confirmed = await kiki.send<{ recoveryCodes: string[]; session: { csrfToken: string } }>(
      'PUT',
      'session/second-factor',
      { code },
    );
    expect(confirmed).toMatchObject({ status: 200, body: { session: { secondFactor: 'active' } } });
    expect((await kiki.send('GET', 'session', undefined, { cookie: before })).status).toBe(401);
    expect((await kiki.send('GET', 'session')).status).toBe(200);
    const phone = new Browser(pantau.api);
    expect(await phone.signIn('kiki', PASSWORD)).toMatchObject({
      status: 401,
      body: { code: 'SECOND_FACTOR_NEEDED', errors: [{ field: 'code' }] },
    });
    const enter = (with_: string): ReturnType<Browser['send']> =>
      phone.send('POST', 'session', { name: 'kiki', password: PASSWORD, code: with_ });
    expect((await enter(code)).status).toBe(401);
    expect((await enter(confirmed.body.recoveryCodes[0]!)).status).toBe(200);
    expect((await administrator.send('DELETE', 'users/kiki/second-factor')).status).toBe(200);
    expect((await phone.send('GET', 'session')).status).toBe(401);
    expect((await phone.signIn('kiki', PASSWORD)).status).toBe(200);
  });
});

describe('tokens and people from the API and the command line', () => {
  it('are made by people, never by tokens, are listed with their last use, and end with who made them', async () => {
    const gita = await signedIn('gita', 'administrator');
    const wanted = { name: 'dasbor', scopes: ['read'], expiresIn: '1d' };
    const minted = await gita.send<{ token: string }>('POST', 'tokens', wanted);
    expect(minted.status).toBe(201);
    expect((await pantau.get('sites', minted.body.token)).status).toBe(200);
    expect((await pantau.get('rejected', minted.body.token)).status).toBe(403);
    expect((await pantau.send('POST', 'tokens', wanted, pantau.token)).status).toBe(403);
    const { body } = await gita.send<{ items: { name: string; lastUsedAt?: string }[] }>('GET', 'tokens');
    expect(body.items.find(({ name }) => name === 'dasbor')?.lastUsedAt).toMatch(/^20/);
    expect((await pantau.command('user', 'revoke', 'gita')).code).toBe(0);
    expect((await pantau.get('sites', minted.body.token)).status).toBe(401);
    expect((await gita.send('GET', 'session')).status).toBe(401);
    expect(await gita.signIn('gita', PASSWORD)).toMatchObject({
      status: 401,
      body: { code: 'SIGN_IN_REFUSED' },
    });
    const { output } = await pantau.command('user', 'reset', 'gita');
    const link = /link#(\S+)/.exec(output)?.[1];
    expect((await gita.send('POST', 'links', { link, password: PASSWORD })).status).toBe(200);
    expect((await gita.signIn('gita', PASSWORD)).status).toBe(200);
    expect((await pantau.command('user', 'list')).output).toMatch(/gita\tadministrator\t–\taktif/);
    expect((await pantau.command('user', 'add', 'hadi', '--role', 'viewer')).output).toMatch(/link#link_/);
    expect((await pantau.command('user', 'add', 'hadi')).output).toContain('pantau user reset hadi');
    expect(pantau.printed).not.toContain(PASSWORD);
    const recovered = /link#(\S+)/.exec((await pantau.command('user', 'recover', 'hadi')).output)?.[1];
    expect((await gita.send('POST', 'links', { link: recovered, password: PASSWORD })).status).toBe(200);
    expect(await new Browser(pantau.api).signIn('hadi', PASSWORD)).toMatchObject({
      body: { permissions: [...PERMISSION_NAMES] },
    });
  });

  it('a token makes nobody and changes nobody, whatever it is for', async () => {
    for (const [method, path, body] of [
      ['PUT', 'users/tamu', { role: 'administrator' }],
      ['POST', 'users/ani/links', {}],
      ['DELETE', 'users/ani/second-factor', undefined],
    ] as const)
      expect([path, (await pantau.send(method, path, body)).status]).toEqual([path, 403]);
    expect((await pantau.get('users')).status).toBe(200);
  });
});

interface AuditItem {
  readonly at: string;
  readonly by: { readonly kind: string; readonly name: string };
  readonly action: string;
  readonly on: Readonly<Record<string, string>>;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly result: string;
  readonly code?: string;
}

async function audited(query = ''): Promise<{ items: AuditItem[]; next?: string }> {
  return (await administrator.send<{ items: AuditItem[]; next?: string }>('GET', `audit?${query}`)).body;
}

describe('the audit log', () => {
  it('has who changed what, with what was before and after, and what was refused', async () => {
    const indah = await signedIn('indah', 'administrator');
    await indah.send('PUT', 'sites/betung', { name: 'Betung Lama' });
    await indah.send('PUT', 'sites/betung', { name: 'Betung Baru' });
    await indah.send('PUT', 'sites/betung', { nama: 'x' });
    const site = {
      action: 'PUT /api/v1/sites/{site}',
      by: { kind: 'user', name: 'indah' },
      on: { site: 'betung' },
    };
    expect((await audited('by=indah')).items).toMatchObject([
      { ...site, result: 'refused', status: 400, code: 'USAGE' },
      {
        ...{ ...site, from: '127.0.0.1', result: 'done', status: 200 },
        ...{ before: { name: 'Betung Lama' }, after: { name: 'Betung Baru' } },
      },
      { ...site, after: { name: 'Betung Lama' } },
      { action: 'POST /api/v1/session', result: 'done' },
      { action: 'POST /api/v1/links', result: 'done' },
    ]);
    const viewer = await signedIn('joko', 'viewer');
    await viewer.send('DELETE', 'users/indah/sessions');
    expect((await audited('by=joko&limit=1')).items).toMatchObject([{ result: 'refused', status: 403 }]);
  });

  it('has what the command line changes, and not what it reads', async () => {
    const commands = async (): Promise<string[]> =>
      (await audited('limit=1000')).items
        .filter(({ by }) => by.kind === 'command')
        .map(({ action }) => action);
    const before = (await commands()).length;
    await pantau.command('site', 'add', 'sembawa', '--name', 'Sembawa');
    await pantau.command('site', 'add', 'sembawa', '--name', 'Sembawa');
    await pantau.command('site', 'list');
    const { items } = await audited('limit=2');
    expect(items).toMatchObject([
      { action: 'pantau site add', on: { what: 'sembawa' }, result: 'failed', code: 'USAGE' },
      { action: 'pantau site add', on: { what: 'sembawa' }, result: 'done', status: 0 },
    ]);
    expect((await commands()).length).toBe(before + 2);
  });

  it('is read page by page, and nothing that comes meanwhile moves a page', async () => {
    const all = (await audited('limit=1000')).items;
    const read: AuditItem[] = [];
    let next: string | undefined;
    do {
      const page = await audited(`limit=7${next === undefined ? '' : `&after=${next}`}`);
      read.push(...page.items);
      next = page.next;
      await administrator.send('PUT', 'sites/betung', { name: 'Betung' });
    } while (next !== undefined);
    expect(read).toEqual(all);
    expect(JSON.stringify(all)).not.toMatch(/link_|session_|pantau_[a-z-]+_|kuda|argon2/);
  });

  it('has an entry of every route that is no question, whoever asks', async () => {
    const token = await pantau.engines.tokens.create('auditor', permissionsOf('administrator', 'token'));
    const changing = (await routesOf(pantau.api)).filter(({ method }) => method !== 'GET');
    expect(changing.length).toBeGreaterThan(15);
    for (const route of changing) {
      await statusOf(pantau.api, route, { authorization: `Bearer ${token}` });
      expect((await audited('limit=1')).items).toMatchObject([{ action: `${route.method} ${route.path}` }]);
    }
  });
});

describe('every answer', () => {
  it('forbids what a page of Pantau never does', async () => {
    for (const path of ['/v1/health', '/v1/sites', '/docs', '/nothing']) {
      const { headers } = await fetch(`${pantau.api}${path}`);
      expect([path, headers.get('content-security-policy')]).toEqual([
        path,
        expect.stringMatching(
          /^default-src 'none'; script-src 'self'; (?!.*unsafe).*frame-ancestors 'none'$/,
        ),
      ]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    const page = await (await fetch(`${pantau.api}/docs`)).text();
    expect(page).not.toMatch(/<script(?![^>]*src=)|on\w+=|src=.https?:/);
  });
});

describe('every route of the OpenAPI document', () => {
  it('is for those who have its permission, and for nobody else: roles, single permissions, none, no token', async () => {
    const all = await routesOf(pantau.api);
    expect(all.filter(({ permission }) => permission === undefined).map(({ path }) => path)).toEqual([
      '/api/v1/health',
      '/api/v1/provisioning/claims',
      '/api/v1/session',
      '/api/v1/links',
      '/api/v1/session/open-id',
      '/api/v1/session/open-id/callback',
      '/api/v1/page',
    ]);
    const tokens: readonly (readonly [string, readonly Permission[]])[] = [
      ...ROLES.map((role) => [`token-${role}`, permissionsOf(role, 'token')] as const),
      ...TOKEN_SCOPES.map((permission) => [`only-${permission}`, [permission]] as const),
      ['none', []],
    ];
    const holders: (readonly [string, readonly Permission[], Readonly<Record<string, string>>])[] = [];
    for (const [name, permissions] of tokens) {
      const token = await pantau.engines.tokens.create(name, permissions);
      holders.push([name, permissions, { authorization: `Bearer ${token}` }]);
    }
    // What names no site or device of its own is for no token that is limited to sites, unless it tells of these alone.
    for (const [name, scope, allowed] of [
      ['limited', 'read', []],
      ['limited-display', 'display', ['display']],
    ] as const) {
      const token = await pantau.engines.tokens.create(name, [scope], undefined, undefined, ['betung']);
      holders.push([name, allowed, { authorization: `Bearer ${token}` }]);
    }
    for (const role of ROLES) {
      const { cookie, csrfToken } = await signedIn(`orang-${role}`, role);
      const credentials = { cookie, 'x-csrf-token': csrfToken };
      holders.push([`session of ${role}`, permissionsOf(role, 'user'), credentials]);
    }
    // What ends the session that asks comes last.
    const ordered = [...all].sort((a, b) => Number(endsItself(a)) - Number(endsItself(b)));
    let refused = 0;
    for (const [name, permissions, credentials] of holders) {
      for (const route of ordered) {
        const isAllowed = route.permission === undefined || permissions.includes(route.permission);
        const status = await statusOf(pantau.api, route, credentials);
        expect([name, route, status, status === 403 || status === 401]).toEqual([
          name,
          route,
          status,
          !isAllowed,
        ]);
        if (!isAllowed) refused++;
      }
    }
    for (const route of all.filter(({ permission }) => permission !== undefined))
      expect([route, await statusOf(pantau.api, route)]).toEqual([route, 401]);
    expect(refused).toBeGreaterThan(60);
  });

  it('needs what its kind needs: who sees changes nothing, who evaluates sends no command', async () => {
    const permissionOf = new Map<string, Permission | undefined>(
      (await routesOf(pantau.api)).map(
        ({ method, path, permission }) => [`${method} ${path}`, permission] as const,
      ),
    );
    const rolesFor = (route: string): readonly string[] => {
      const permission = permissionOf.get(route);
      return permission === undefined ? [] : rolesWith(permission);
    };
    expect(rolesFor('GET /api/v1/readings')).toEqual(['viewer', 'operator', 'evaluator', 'administrator']);
    expect(rolesFor('GET /api/v1/rejected')).toEqual(['operator', 'evaluator', 'administrator']);
    expect(rolesFor('POST /api/v1/devices/{device}/commands')).toEqual(['operator', 'administrator']);
    expect(rolesFor('PUT /api/v1/devices/{device}')).toEqual(['administrator']);
    for (const [route, permission] of permissionOf)
      if (permission === 'read' || permission === 'examine') expect(route).toMatch(/^GET /);
  });
});
