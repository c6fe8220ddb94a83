import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Person {
  readonly name: string;
  readonly preferred_username?: string;
  readonly groups?: string | readonly string[];
}
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
type ProviderClass = new (issuer: string, options: object) => { callback(): Listener };

/** Loaded where it is used: it takes a while, and warns of the version of Node. */
async function providerClass(): Promise<ProviderClass> {
  // @ts-expect-error -- it comes without types
  const { default: Untyped } = (await import('oidc-provider')) as { default: unknown };
  return Untyped as ProviderClass;
}

/** A real OpenID Connect server on this machine, where people are who they say they are. */
export interface SignOnServer {
  readonly issuer: string;
  readonly secret: string;
  /** By subject. */
  readonly people: Map<string, Person>;
  /** Answers nothing but 503. */
  away: boolean;
  /** What a browser does there. @returns where it is sent back to */
  signOn(url: string, person: string): Promise<string>;
  close(): Promise<void>;
}

export async function startSignOnServer(callback: string): Promise<SignOnServer> {
  const people = new Map<string, Person>();
  const secret = 'rahasia-server-sso';
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const Provider = await providerClass();
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'pantau', client_secret: secret, redirect_uris: [callback] }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['kunci'] },
    pkce: { required: () => true },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people.get(id) }),
    }),
  });
  const answer = provider.callback();
  const server: SignOnServer = {
    ...{ issuer, secret, people },
    away: false,
    signOn: (url, person) => signOn(url, person, callback),
    async close() {
      http.close();
      http.closeAllConnections();
      await once(http, 'close');
    },
  };
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (server.away) response.writeHead(503).end();
    else void answer(request, response);
  });
  return server;
}

/** Follows redirects with cookies, and fills in the two forms on the way. */
async function signOn(first: string, person: string, callback: string): Promise<string> {
  const cookies = new Map<string, string>();
  let [url, form]: [string, URLSearchParams | undefined] = [first, undefined];
  for (let step = 0; step < 20; step++) {
    const response: Response = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    const page = await response.text();
    if (location !== null) {
      url = new URL(location, url).href;
      form = undefined;
      if (url.startsWith(callback)) return url;
      continue;
    }
    const [, action] = /<form[^>]*action="([^"]+)"/.exec(page) ?? [];
    if (action === undefined)
      throw new Error(`the sign-on server answered ${response.status}: ${page.slice(0, 500)}`);
    url = new URL(action, url).href;
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? '';
    form = new URLSearchParams({ prompt, login: person, password: 'x' });
  }
  throw new Error('the sign-on server sends in circles');
}
