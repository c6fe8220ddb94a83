import type { Permission } from '#libs/identity';
import type { OpenApiDocument } from './openapi.fixture.js';

export interface Route {
  readonly method: string;
  readonly path: string;
  /** None: the route is public. */
  readonly permission: Permission | undefined;
}

/** Every route of the document, so that a new one is in the matrix by itself. Devices post with credentials of their own. */
export async function routesOf(api: string): Promise<readonly Route[]> {
  const { paths } = (await (await fetch(`${api}/docs-json`)).json()) as OpenApiDocument;
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
export async function statusOf(
  api: string,
  { method, path }: Route,
  credentials: Readonly<Record<string, string>> = {},
): Promise<number> {
  const gone = new AbortController();
  const response = await fetch(`${api.replace(/\/api$/, '')}${path.replace(/\{\w+\}/g, 'nobody')}`, {
    method,
    headers: {
      ...credentials,
      ...(['POST', 'PUT'].includes(method) ? { 'content-type': 'application/json' } : {}),
    },
    ...(['POST', 'PUT'].includes(method) ? { body: '7' } : {}),
    signal: gone.signal,
  });
  // A live answer has no end.
  gone.abort();
  return response.status;
}
