import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A statement by raw HTTP: what an administrator does beside Pantau. */
export async function ask(
  url: string,
  statement: string,
  user?: { username: string; password: string },
): Promise<readonly (readonly unknown[])[]> {
  const authorization = `Basic ${Buffer.from(`${user?.username}:${user?.password}`).toString('base64')}`;
  const response = await fetch(`${url}/query?q=${encodeURIComponent(statement)}`, {
    method: 'POST',
    headers: user === undefined ? {} : { authorization },
  });
  const body = await response.text();
  if (!response.ok || body.includes('"error"')) throw new Error(`${statement}: ${body}`);
  const { results } = JSON.parse(body) as { results: { series?: { values: unknown[][] }[] }[] };
  return results[0]?.series?.[0]?.values ?? [];
}

/** How many writes the server has been asked for. */
export async function writeRequests(url: string): Promise<number> {
  const variables = (await (await fetch(`${url}/debug/vars`)).json()) as Record<
    string,
    { name?: string; values?: Record<string, number> }
  >;
  return Object.values(variables).find(({ name }) => name === 'httpd')?.values?.['writeReq'] ?? NaN;
}

/** Whether it is asked what is stored already, as before the first write. */
export function isFirst([, , { url }]: Parameters<Parameters<typeof startServer>[0]>): boolean {
  return url.includes('SELECT+last');
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** A server that answers as it is told and keeps what it was asked. */
export async function startServer(
  answer: (path: string, body: string, request: { method: string; url: string }) => Answer | undefined,
): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly requests: { method: string; url: string; authorization: string | undefined; body: string }[];
  }
> {
  const requests: { method: string; url: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ method, url, authorization: request.headers.authorization, body });
      const told = answer(url.split('?')[0]!, body, { method, url });
      if (told === undefined) return;
      response.writeHead(told.status, {
        'content-type': 'application/json; charset=utf-8',
        'x-influxdb-version': 'v2.7.12',
      });
      response.end(told.body === undefined ? undefined : JSON.stringify(told.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
