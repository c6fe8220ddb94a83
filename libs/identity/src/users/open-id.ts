import { defined, messageOf, PantauError } from '#libs/kernel';
import { createHash } from 'node:crypto';
import type { Configuration, IDToken } from 'openid-client';
import type { StoredUser } from '../namespaces.js';
import { ROLES, type Role } from '../roles.js';
import type { Users } from './users.js';

/** Loaded with the first sign-in: no other thread and no command needs it. */
const openIdClient = () => import('openid-client');

export interface OpenIdOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
  /** The claim that holds the groups of somebody: a text or a list of texts. */
  readonly rolesClaim: string;
  /** The groups of each role; of several roles the one with most permissions counts. */
  readonly roles: Readonly<Partial<Record<Role, readonly string[]>>>;
}

/** What the browser keeps between the two halves of a sign-in. */
export interface OpenIdAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Strongest first. */
const BY_STRENGTH: readonly Role[] = ['administrator', 'operator', 'evaluator', 'viewer'];

/**
 * Single sign-on (OpenID Connect Core, authorization code flow with PKCE). Somebody is issuer and subject together: a name that
 * somebody chose elsewhere takes no account here.
 */
export class OpenIdSignIn {
  #server: Promise<Configuration> | undefined;

  constructor(
    private readonly options: OpenIdOptions,
    private readonly users: Users,
  ) {}

  /** Where the browser is sent, and what it has to bring back. @throws PantauError `SIGN_ON_UNAVAILABLE` (transient) */
  async begin(redirectUri: string): Promise<{ readonly url: string; readonly attempt: OpenIdAttempt }> {
    const server = await this.#discovered();
    const client = await openIdClient();
    const attempt = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(server, {
      ...{ redirect_uri: redirectUri, scope: this.options.scope, state: attempt.state, nonce: attempt.nonce },
      ...{
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
      },
    });
    return { url: url.href, attempt };
  }

  /**
   * Whom the browser came back as.
   *
   * @param current - the address that it came back to
   * @throws PantauError `SIGN_IN_REFUSED` when the answer is not of this attempt, or the person has no role here or is disabled
   */
  async finish(current: string, { state, nonce, verifier }: OpenIdAttempt): Promise<StoredUser> {
    const server = await this.#discovered();
    const { authorizationCodeGrant } = await openIdClient();
    let claims: IDToken | undefined;
    try {
      const tokens = await authorizationCodeGrant(server, new URL(current), {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
      });
      claims = tokens.claims();
    } catch (cause) {
      throw refused('the sign-on server did not confirm who it is', cause);
    }
    if (claims === undefined) throw refused('the sign-on server did not say who it is');
    return this.#userOf(claims);
  }

  async #userOf(claims: IDToken): Promise<StoredUser> {
    const name = nameOf(claims);
    const groups = claims[this.options.rolesClaim];
    const fullName = textOf(claims['name']) ?? textOf(claims['preferred_username']);
    const before = await this.users.find(name);
    // Without the claim nobody said anything about roles: they stay as they are.
    const role = groups === undefined ? before?.role : this.#roleOf(groups);
    // Who was taken out of the groups holds nothing here any more, neither sessions nor tokens.
    if (role === undefined && before?.disabled === false) await this.users.endAll(name, true);
    if (role === undefined) throw refused(`${name} has no role here (claim ${this.options.rolesClaim})`);
    const mayEnter = (user: { readonly disabled: boolean } | undefined): void => {
      if (user?.disabled === true) throw refused(`${name} may not sign in`);
    };
    try {
      await this.users.put(name, { role, disabled: false, ...defined({ fullName }) }, mayEnter);
    } catch (error) {
      // The last administrator stays one.
      if (!(error instanceof PantauError && error.code === 'LAST_ADMINISTRATOR')) throw error;
    }
    return this.users.get(name);
  }

  #roleOf(claim: unknown): Role | undefined {
    const groups = (Array.isArray(claim) ? claim : [claim]).filter((one) => typeof one === 'string');
    const held = ROLES.filter((role) => this.options.roles[role]?.some((group) => groups.includes(group)));
    return BY_STRENGTH.find((role) => held.includes(role));
  }

  /** Asked once; again after a failure. */
  async #discovered(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.options;
    const server = new URL(issuer);
    const client = await openIdClient();
    // Only of this machine, for tests; a configured server has TLS.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated only to stand out
    const execute = server.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    try {
      return await (this.#server ??= client.discovery(server, clientId, clientSecret, undefined, {
        execute,
      }));
    } catch (cause) {
      this.#server = undefined;
      throw new PantauError(
        'SIGN_ON_UNAVAILABLE',
        `the sign-on server ${issuer} does not answer as it should.`,
        {
          remedy: 'Sign in with a password, or try again later.',
          transient: true,
          cause,
        },
      );
    }
  }
}

/** The account of somebody at a sign-on server, whatever that person is called. */
function nameOf({ iss, sub }: IDToken): string {
  return `sso-${createHash('sha256').update(`${iss}\n${sub}`).digest('hex').slice(0, 24)}`;
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim.slice(0, 200) : undefined;
}

function refused(what: string, cause?: unknown): PantauError {
  return new PantauError(
    'SIGN_IN_REFUSED',
    `${what}${cause === undefined ? '' : ` (${messageOf(cause)})`}.`,
    {
      remedy: 'Try again, or ask an administrator.',
    },
  );
}
