import { digestOf } from './users/secrets.js';
import { DAY, defined, MINUTE, PantauError, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SPENT, TOKENS, TOKEN_USES, USERS, type StoredToken } from './namespaces.js';
import {
  PERMISSION_NAMES,
  PERMISSIONS,
  permissionsOf,
  type Permission,
  type Principal,
  type Role,
} from './roles.js';

const FIRST_ADMIN = 'first-admin';
const FIRST_ADMIN_MADE = 'token/first-admin';
const NAME = '[a-z0-9-]{1,63}';
const NAME_PATTERN = new RegExp(`^${NAME}$`);
const TOKEN_PATTERN = new RegExp(`^pantau_(${NAME})_([A-Za-z0-9_-]{43})$`);

/** How long a token is valid unless somebody decides otherwise. */
export const TOKEN_LIFETIME: Millis = 90 * DAY;
/** Uses that are closer together are one. */
const USE_RESOLUTION: Millis = MINUTE;

/** What is known of a token; not the token. */
export interface TokenView {
  readonly name: string;
  readonly scopes: readonly Permission[];
  /** Of these sites alone; of all where it is absent. */
  readonly sites?: readonly string[] | undefined;
  /** Who made it; nobody where the command line did. */
  readonly madeBy?: string | undefined;
  readonly createdAt: UtcMillis;
  /** Those of earlier versions never expire. */
  readonly expiresAt?: UtcMillis | undefined;
  readonly lastUsedAt?: UtcMillis | undefined;
}

/** API tokens `pantau_{name}_{secret}`; shown once, stored as a digest. */
export class Tokens {
  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a token and replaces an earlier one of the same name.
   *
   * @param scopes - what it allows; nothing when there is none
   * @param sites - of which it allows that; none of none, all by default
   * @param owner - with whom it ends; nobody when the command line makes it
   * @throws PantauError `USAGE` when the name is not one
   */
  async create(
    name: string,
    scopes: readonly Permission[],
    lifetimeMs = TOKEN_LIFETIME,
    owner?: { readonly name: string; readonly generation: number },
    sites?: readonly string[],
  ): Promise<string> {
    if (!NAME_PATTERN.test(name))
      throw new PantauError('USAGE', `"${name}" cannot be the name of a token.`, {
        remedy: 'Choose 1 to 63 lower-case letters, digits and hyphens, such as budi.',
      });
    const refused = scopes.filter((scope) => !mayHold(scope, sites));
    if (refused.length > 0)
      throw new PantauError(
        'USAGE',
        `no token ${sites === undefined ? '' : 'of some sites '}may hold ${refused.join(', ')}.`,
        {
          remedy: 'Take it out of the scopes: docs/accounts.md says what a token may hold.',
          fields: [{ field: 'scopes', message: `without ${refused.join(', ')}` }],
        },
      );
    const alone = scopes.find((scope) => PERMISSIONS[scope].alone);
    if (alone !== undefined && scopes.some((scope) => scope !== alone))
      throw new PantauError('USAGE', `a token that holds ${alone} holds nothing else.`, {
        remedy: `Make two tokens: one with ${alone} for the screen, another one with the other scopes.`,
        fields: [{ field: 'scopes', message: `expected ${alone} alone, or without it` }],
      });
    const { token, stored } = this.#make(name, scopes, lifetimeMs);
    const owned = owner === undefined ? {} : { owner: { user: owner.name, generation: owner.generation } };
    const limited = sites === undefined ? {} : { sites };
    await this.state.write([TOKENS.put(name, { ...stored, ...limited, ...owned }), TOKEN_USES.remove(name)]);
    return token;
  }

  /**
   * Makes the first admin token of an installation, once: one that was revoked never comes back. An installation of an earlier
   * version, which did not note that it had made one, has made it if it has any token or anybody who signs in.
   *
   * @returns undefined when it was made before
   */
  async createFirstAdmin(): Promise<string | undefined> {
    if ((await this.state.get(SPENT, FIRST_ADMIN_MADE)) !== undefined) return undefined;
    const hasToken = (await this.state.list(TOKENS, { limit: 1 })).length > 0;
    const hasUser = (await this.state.list(USERS, { limit: 1 })).length > 0;
    const scopes = permissionsOf('administrator', 'token');
    const { token, stored } = this.#make(FIRST_ADMIN, scopes, TOKEN_LIFETIME);
    const made = [SPENT.put(FIRST_ADMIN_MADE, stored.createdAt)];
    const isFirst = !hasToken && !hasUser;
    const writes = isFirst ? [...made, TOKENS.put(FIRST_ADMIN, stored)] : made;
    const isMade = await this.state.writeIf([SPENT.seen(FIRST_ADMIN_MADE, undefined)], writes);
    return isMade && isFirst ? token : undefined;
  }

  /** @returns whose token it is; undefined when it is nobody's, or has expired */
  async verify(token: string): Promise<Principal | undefined> {
    const match = TOKEN_PATTERN.exec(token);
    if (match?.[1] === undefined || match[2] === undefined) return undefined;
    const stored = await this.state.get(TOKENS, match[1]);
    if (stored === undefined || !timingSafeEqual(stored.digest, digestOf(match[2]))) return undefined;
    const now = this.clock.now();
    if (stored.expiresAt !== undefined && stored.expiresAt <= now) return undefined;
    if (!(await this.#ownerHolds(stored))) return undefined;
    await this.#used(stored.name, now);
    const { sites, expiresAt } = stored;
    const permissions = scopesOf(stored);
    return { name: stored.name, kind: 'token', permissions, ...defined({ sites, expiresAt }) };
  }

  async list(): Promise<TokenView[]> {
    const tokens = await this.state.list(TOKENS);
    const uses = await this.state.getMany(
      TOKEN_USES,
      tokens.map(({ key }) => key),
    );
    return tokens.map(({ value: stored }, i) => ({
      name: stored.name,
      scopes: scopesOf(stored),
      ...defined({ sites: stored.sites, madeBy: stored.owner?.user }),
      createdAt: stored.createdAt,
      expiresAt: stored.expiresAt,
      lastUsedAt: uses[i],
    }));
  }

  /** Ends a token. @throws PantauError `NOT_FOUND` */
  async revoke(name: string): Promise<void> {
    if ((await this.state.get(TOKENS, name)) === undefined)
      throw new PantauError('NOT_FOUND', `no token ${name}.`, { remedy: 'List them: pantau token list.' });
    await this.state.write([TOKENS.remove(name), TOKEN_USES.remove(name)]);
  }

  /**
   * A screen on a wall shows what every role may see: it does not go dark because who made its link has another password or role, but ends with
   * that person.
   */
  async #ownerHolds(stored: StoredToken): Promise<boolean> {
    const { owner } = stored;
    if (owner === undefined) return true;
    const user = await this.state.get(USERS, owner.user);
    if (user?.disabled !== false) return false;
    return isDisplay(stored)
      ? owner.generation >= (user.endedBefore ?? 0)
      : owner.generation === user.generation;
  }

  /** Beside the token, so that noting a use never brings back one that is revoked at that moment. */
  async #used(name: string, now: UtcMillis): Promise<void> {
    const last = await this.state.get(TOKEN_USES, name);
    if (last === undefined || Math.abs(now - last) >= USE_RESOLUTION)
      await this.state.write([TOKEN_USES.put(name, now)]);
  }

  #make(
    name: string,
    scopes: readonly Permission[],
    lifetimeMs: Millis,
  ): { token: string; stored: StoredToken } {
    const secret = randomBytes(32).toString('base64url');
    const createdAt = this.clock.now();
    return {
      token: `pantau_${name}_${secret}`,
      stored: { name, scopes, digest: digestOf(secret), createdAt, expiresAt: createdAt + lifetimeMs },
    };
  }
}

/** Whatever a row says: a permission that no token may hold is none of a token. */
function mayHold(scope: Permission, sites: readonly string[] | undefined): boolean {
  const { byToken, bySite } = PERMISSIONS[scope];
  return byToken && (sites === undefined || bySite);
}

/** Whether it is the link of a screen on a wall. */
function isDisplay(stored: StoredToken): boolean {
  return scopesOf(stored).includes('display');
}

/** Roles of tokens that earlier versions made. */
const EARLIER_ROLES: Readonly<Record<string, Role>> = {
  admin: 'administrator',
  operator: 'operator',
  evaluator: 'evaluator',
};

function scopesOf({ scopes, role, sites }: StoredToken): readonly Permission[] {
  if (scopes !== undefined)
    return PERMISSION_NAMES.filter(
      (name) =>
        scopes.includes(name) &&
        mayHold(name, sites) &&
        (!PERMISSIONS[name].alone || scopes.every((scope) => scope === name)),
    );
  const known = role === undefined ? undefined : EARLIER_ROLES[role];
  return known === undefined ? [] : permissionsOf(known, 'token');
}
