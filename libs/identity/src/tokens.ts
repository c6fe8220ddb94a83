import { PantauError, type Clock } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { TOKENS, type StoredToken } from './namespaces.js';
import type { Principal, Role } from './roles.js';

const FIRST_ADMIN = 'first-admin';
const NAME = '[a-z0-9-]{1,63}';
const NAME_PATTERN = new RegExp(`^${NAME}$`);
const TOKEN_PATTERN = new RegExp(`^pantau_(${NAME})_([A-Za-z0-9_-]{43})$`);

/** API tokens `pantau_{name}_{secret}`; shown once, stored as a digest. */
export class Tokens {
  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes a token and replaces an earlier one of the same name.
   *
   * @throws PantauError `USAGE` when the name is not one
   */
  async create(name: string, role: Role): Promise<string> {
    if (!NAME_PATTERN.test(name))
      throw new PantauError('USAGE', `"${name}" cannot be the name of a token.`, {
        remedy: 'Choose 1 to 63 lower-case letters, digits and hyphens, such as budi.',
      });
    const { token, stored } = this.#make(name, role);
    await this.state.write([TOKENS.put(name, stored)]);
    return token;
  }

  /** Makes the first admin token of an installation. @returns undefined when there is one already */
  async createFirstAdmin(): Promise<string | undefined> {
    const { token, stored } = this.#make(FIRST_ADMIN, 'admin');
    return (await this.state.putIfAbsent(TOKENS, FIRST_ADMIN, stored)) ? token : undefined;
  }

  /** @returns whose token it is; undefined when it is nobody's */
  async verify(token: string): Promise<Principal | undefined> {
    const match = TOKEN_PATTERN.exec(token);
    if (match?.[1] === undefined || match[2] === undefined) return undefined;
    const stored = await this.state.get(TOKENS, match[1]);
    if (stored === undefined || !timingSafeEqual(stored.digest, digestOf(match[2]))) return undefined;
    return { name: stored.name, role: stored.role };
  }

  #make(name: string, role: Role): { token: string; stored: StoredToken } {
    const secret = randomBytes(32).toString('base64url');
    return {
      token: `pantau_${name}_${secret}`,
      stored: { name, role, digest: digestOf(secret), createdAt: this.clock.now() },
    };
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
