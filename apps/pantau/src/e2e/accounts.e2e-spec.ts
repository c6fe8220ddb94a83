import { PERMISSION_NAMES, permissionsOf, rolesWith, ROLES, type Permission } from '#libs/identity';
import type { OpenApiDocument } from './openapi.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

interface Route {
  readonly method: string;
  readonly path: string;
  /** None: the route is public. */
  readonly permission: Permission | undefined;
}

/** Every route of the document, so that a new one is in the matrix by itself. Devices post with credentials of their own. */
async function routes(): Promise<readonly Route[]> {
  const { paths } = (await (await fetch(`${pantau.api}/docs-json`)).json()) as OpenApiDocument;
  return Object.entries(paths)
    .filter(([path]) => !path.startsWith('/api/v1/uplinks'))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        permission: (operation as { 'x-permission'?: Permission })['x-permission'],
      })),
    );
}

/** The status of a request that names nobody and whose body fits nothing: whoever is let in is told so, and nothing changes. */
async function statusOf({ method, path }: Route, token: string | undefined): Promise<number> {
  const gone = new AbortController();
  const response = await fetch(`${pantau.api.replace(/\/api$/, '')}${path.replace(/\{\w+\}/g, 'nobody')}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(['POST', 'PUT'].includes(method) ? { 'content-type': 'application/json' } : {}),
    },
    ...(['POST', 'PUT'].includes(method) ? { body: '7' } : {}),
    signal: gone.signal,
  });
  // A live answer has no end.
  gone.abort();
  return response.status;
}

describe('every route of the OpenAPI document', () => {
  it('is for those who have its permission, and for nobody else: roles, single permissions, none, no token', async () => {
    const all = await routes();
    expect(all.filter(({ permission }) => permission === undefined).map(({ path }) => path)).toEqual([
      '/api/v1/health',
      '/api/v1/provisioning/claims',
    ]);
    const holders: readonly (readonly [string, readonly Permission[]])[] = [
      ...ROLES.map((role) => [role, permissionsOf(role, 'token')] as const),
      ...PERMISSION_NAMES.map((permission) => [`only-${permission}`, [permission]] as const),
      ['none', []],
    ];
    let refused = 0;
    for (const [name, permissions] of holders) {
      const token = await pantau.engines.tokens.create(name, permissions);
      for (const route of all) {
        const isAllowed = route.permission === undefined || permissions.includes(route.permission);
        const status = await statusOf(route, token);
        expect([name, route, status === 403 || status === 401]).toEqual([name, route, !isAllowed]);
        if (!isAllowed) refused++;
      }
    }
    for (const route of all.filter(({ permission }) => permission !== undefined))
      expect([route, await statusOf(route, undefined)]).toEqual([route, 401]);
    expect(refused).toBeGreaterThan(60);
  });

  it('needs what its kind needs: who sees changes nothing, who evaluates sends no command', async () => {
    const permissionOf = new Map<string, Permission | undefined>(
      (await routes()).map(({ method, path, permission }) => [`${method} ${path}`, permission] as const),
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
