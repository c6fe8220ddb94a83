import { OpenIdSignIn } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { startSignOnServer } from '#libs/testing';
import { openEngines } from '../storage/engines.js';
import { at, type Case, type Cases } from './keys.fixture.js';

const CALLBACK = 'http://127.0.0.1/api/v1/session/open-id/callback';
const SECTION = 'accounts.openIdConnect';
const beside = {
  pantau: {
    http: { publicUrl: 'http://127.0.0.1' },
    accounts: {
      openIdConnect: {
        ...{ issuer: 'https://localhost:1', clientId: 'pantau', clientSecret: 'rahasia-server-sso' },
        roles: { viewer: ['warga'] },
      },
    },
  },
};

/** What becomes of somebody who signs in at a real server with the configured client: a role, or why there is none. */
async function signIn({ config, groups }: { config: LoadedConfig; groups: string[] }): Promise<string> {
  const engines = await openEngines(config);
  const server = await startSignOnServer(CALLBACK);
  try {
    server.people.set('u-1', { name: 'tim', groups });
    const openId = new OpenIdSignIn(
      { ...config.accounts.openIdConnect!, issuer: server.issuer },
      engines.users,
    );
    const { url, attempt } = await openId.begin(CALLBACK);
    return (await openId.finish(await server.signOn(url, 'u-1'), attempt)).role;
  } catch (error) {
    return error instanceof PantauError ? error.code : 'not sent back';
  } finally {
    await server.close();
    await engines.close();
  }
}

/** Which server is asked, and for what. */
async function asked(config: LoadedConfig): Promise<string> {
  const engines = await openEngines(config);
  try {
    await new OpenIdSignIn(config.accounts.openIdConnect!, engines.users).begin(CALLBACK);
    return 'answered';
  } catch (error) {
    return /https:\S+/.exec(String(error))?.[0] ?? String(error);
  } finally {
    await engines.close();
  }
}

async function scopeAsked(config: LoadedConfig): Promise<string | null> {
  const engines = await openEngines(config);
  const server = await startSignOnServer(CALLBACK);
  try {
    const options = { ...config.accounts.openIdConnect!, issuer: server.issuer };
    const { url } = await new OpenIdSignIn(options, engines.users).begin(CALLBACK);
    return new URL(url).searchParams.get('scope');
  } finally {
    await server.close();
    await engines.close();
  }
}

const key = (
  name: string,
  value: unknown,
  behaviour: Case['behaviour'],
  expected: Case['expected'],
): Cases => ({
  [`${SECTION}.${name}`]: {
    ...{ beside, behaviour, expected },
    written: { pantau: at(`${SECTION}.${name}`, value) },
  },
});
const warga: Case['behaviour'] = (config) => signIn({ config, groups: ['warga'] });
const tim: Case['behaviour'] = (config) => signIn({ config, groups: ['tim'] });
const role = (name: string): Cases => key(`roles.${name}`, ['tim'], tim, ['SIGN_IN_REFUSED', name]);

export const SIGN_ON: Cases = {
  ...key('issuer', 'https://localhost:2', asked, ['https://localhost:1', 'https://localhost:2']),
  ...key('clientId', 'other', warga, ['viewer', 'not sent back']),
  ...key('clientSecret', 'wrong', warga, ['viewer', 'SIGN_IN_REFUSED']),
  ...key('scope', 'openid', scopeAsked, ['openid profile', 'openid']),
  ...key('rolesClaim', 'name', warga, ['viewer', 'SIGN_IN_REFUSED']),
  ...role('viewer'),
  ...role('operator'),
  ...role('evaluator'),
  ...role('administrator'),
};
