import { DAY, MINUTE, PantauError, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { TOKENS, TOKEN_USES, USERS, type StoredToken } from './namespaces.js';
import { PERMISSION_NAMES, permissionsOf, type Permission, type Principal, type Role } from './roles.js';

const FIRST_ADMIN = 'first-admin';
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
   * @param owner - with whom it ends; nobody when the command line makes it
   * @throws PantauError `USAGE` when the name is not one
   */
  async create(
    name: string,
    scopes: readonly Permission[],
    lifetimeMs = TOKEN_LIFETIME,
    owner?: { readonly name: string; readonly generation: number },
  ): Promise<string> {
    if (!NAME_PATTERN.test(name))
      throw new PantauError('USAGE', `"${name}" cannot be the name of a token.`, {
        remedy: 'Choose 1 to 63 lower-case letters, digits and hyphens, such as budi.',
      });
    const { token, stored } = this.#make(name, scopes, lifetimeMs);
    const owned = owner === undefined ? {} : { owner: { user: owner.name, generation: owner.generation } };
    await this.state.write([TOKENS.put(name, { ...stored, ...owned }), TOKEN_USES.remove(name)]);
    return token;
  }

  /** Makes the first admin token of an installation. @returns undefined when there is one already */
  async createFirstAdmin(): Promise<string | undefined> {
    const { token, stored } = this.#make(
      FIRST_ADMIN,
      permissionsOf('administrator', 'token'),
      TOKEN_LIFETIME,
    );
    return (await this.state.putIfAbsent(TOKENS, FIRST_ADMIN, stored)) ? token : undefined;
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
    return { name: stored.name, kind: 'token', permissions: scopesOf(stored) };
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

  async #ownerHolds({ owner }: StoredToken): Promise<boolean> {
    if (owner === undefined) return true;
    const user = await this.state.get(USERS, owner.user);
    return user?.disabled === false && user.generation === owner.generation;
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

/** Roles of tokens that earlier versions made. */
const EARLIER_ROLES: Readonly<Record<string, Role>> = {
  admin: 'administrator',
  operator: 'operator',
  evaluator: 'evaluator',
};

function scopesOf({ scopes, role }: StoredToken): readonly Permission[] {
  if (scopes !== undefined) return PERMISSION_NAMES.filter((name) => scopes.includes(name));
  const known = role === undefined ? undefined : EARLIER_ROLES[role];
  return known === undefined ? [] : permissionsOf(known, 'token');
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
