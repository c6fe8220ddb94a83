import 'reflect-metadata';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import {
  Administration,
  Audit,
  DeviceCredentials,
  OpenIdSignIn,
  ProvisioningKeys,
  Registry,
  SecondFactor,
  ServiceAccounts,
  Sessions,
  SignIn,
  Tokens,
  Users,
  type OpenIdOptions,
} from '#libs/identity';
import { DAY, HOUR } from '#libs/kernel';
import { createLogger, type Logger } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { connect, type AddressInfo } from 'node:net';
import type { GatewayDependencies } from './dependencies.js';
import { gatewayApp } from './gateway.js';
import type { PublicAddress } from './http/cookie.js';

export const PASSWORD = 'tujuh kuda di rawa';

/** The API over a state and a journal of its own, with an administrator `ani` who can sign in. */
export interface Served {
  readonly url: string;
  readonly journal: LmdbJournal;
  readonly state: LmdbStateStore;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly registry: Registry;
  readonly audit: Audit;
  readonly credentials: DeviceCredentials;
  readonly clock: { at: number; now(): number };
}

export interface ServingOptions {
  readonly publicUrl?: PublicAddress;
  readonly trustProxy?: readonly string[];
  readonly signOn?: OpenIdOptions;
  readonly logger?: Logger;
  readonly codecs?: GatewayDependencies['codecs'];
}

export async function serving(
  {
    publicUrl,
    trustProxy = [],
    signOn,
    logger = createLogger('silent', 'spec'),
    codecs = new Map(),
  }: ServingOptions,
  test: (served: Served) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder('gateway');
  const state = LmdbStateStore.open(folder.path);
  const clock = { at: 1_700_000_000_000, now: () => clock.at };
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const users = new Users(state, clock);
  await users.useLink((await users.setupLink())!, PASSWORD, 'ani');
  const limits = { idleMs: HOUR, lifetimeMs: DAY, secondFactor: [] };
  const sessions = new Sessions(state, clock, users, limits);
  const secondFactor = new SecondFactor(state, clock, users);
  const registry = new Registry(state, { journal, clock });
  const tokens = new Tokens(state, clock);
  const audit = new Audit(journal, state, clock);
  const credentials = new DeviceCredentials(state, clock);
  const accounts = new ServiceAccounts(state);
  const keys = new ProvisioningKeys(state, clock);
  const administration = new Administration({ registry, credentials, accounts, keys, journal, clock });
  const known = {
    ...{ credentials, accounts, administration, codecs },
    brokerListeners: [{ protocol: 'mqtt', port: 1883, isLocal: true }],
    keeping: {
      journal: { signals: { maxAge: DAY, unread: 'wait' } },
      store: { raw: Infinity, hour: 400 * DAY, day: Infinity },
    },
    ...{ journal, state, users, sessions, publicUrl, clock, tokens, registry, secondFactor, audit },
    openId: signOn && new OpenIdSignIn(signOn, users),
    ...{ evidence: { definitions: [] }, signIn: new SignIn(users, secondFactor, clock) },
  };
  const app = await gatewayApp(known as unknown as GatewayDependencies, { trustProxy, logger });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  try {
    await test({ url, journal, state, users, sessions, tokens, registry, audit, credentials, clock });
  } finally {
    await app.close();
    await journal.close();
    await state.close();
  }
}

export const signIn = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name: 'ani', password: PASSWORD }),
  });

/** Somebody who has signed in: requests that bear the session and its token. */
export async function signedIn(
  url: string,
): Promise<(method: string, path: string, more?: Sent) => Promise<Response>> {
  const answer = await signIn(url);
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { csrfToken } = (await answer.json()) as { csrfToken: string };
  return (method, path, { body, headers = {} } = {}) =>
    fetch(`${url}/api/v1/${path}`, {
      method,
      headers: {
        ...{ cookie, 'x-csrf-token': csrfToken },
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

interface Sent {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Many requests at once over one connection, which costs next to nothing beside them.
 *
 * @returns the answer to each in their order, from its status on; of the last one perhaps the beginning
 */
export async function pipelined(
  url: string,
  requests: readonly { readonly line: string; readonly headers: Readonly<Record<string, string>> }[],
): Promise<string[]> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('utf8');
  for (const { line, headers } of requests) {
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}`);
    socket.write(`${[`${line} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
  }
  let text = '';
  let answers: string[] = [];
  for await (const chunk of socket as AsyncIterable<string>) {
    text += chunk;
    answers = text.split('HTTP/1.1 ').slice(1);
    if (answers.length >= requests.length && answers.at(-1)?.includes('\r\n\r\n') === true) break;
  }
  socket.destroy();
  return answers;
}
