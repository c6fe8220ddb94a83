import { DAY, defined, HOUR, PantauError, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { z } from 'zod';
import { LINKS, SPENT, USERS, type StoredUser } from '../namespaces.js';
import { ROLES, type Role } from '../roles.js';
import { PasswordHashes } from './password-hashes.js';
import { isSecret, issueSecret, parseSecret } from './secrets.js';

const LINK = 'link';
const SETUP_LIFETIME: Millis = DAY;
const LINK_LIFETIME: Millis = 3 * DAY;
/** What was used is remembered until nothing of its kind is valid any more. */
const SPENT_KEPT: Millis = LINK_LIFETIME + HOUR;

export const userNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'expected lower-case letters, digits, dots and hyphens, at most 63');
/** Length is what counts (NIST SP 800-63B, 5.1.1.2). */
export const passwordSchema = z.string().min(12).max(200);
export const userSchema = z.strictObject({
  fullName: z.string().min(1).max(200).optional(),
  role: z.enum(ROLES),
  disabled: z.boolean().default(false),
});

/** What is known of somebody; no password. */
export interface UserView {
  readonly name: string;
  readonly fullName?: string | undefined;
  readonly role: Role;
  readonly disabled: boolean;
  readonly createdAt: UtcMillis;
  /** Whether there is a password; without one there is a link to set it. */
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
}

/** People who sign in. */
export class Users {
  readonly hashes = new PasswordHashes();

  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  async find(name: string): Promise<StoredUser | undefined> {
    return this.state.get(USERS, name);
  }

  async list(): Promise<UserView[]> {
    return (await this.state.list(USERS)).map(({ value }) => viewOf(value));
  }

  /** @throws PantauError `USER_UNKNOWN` */
  async get(name: string): Promise<StoredUser> {
    const user = await this.find(name);
    if (user === undefined)
      throw new PantauError('USER_UNKNOWN', `nobody is called ${name}.`, {
        remedy: 'List them: pantau user list.',
      });
    return user;
  }

  /**
   * Adds somebody, or changes what they are; a change of role ends what was begun with the old one.
   *
   * @throws PantauError `LAST_ADMINISTRATOR`
   */
  async put(name: string, wanted: z.output<typeof userSchema>, isExternal = false): Promise<UserView> {
    const { fullName, role, disabled } = wanted;
    const before = await this.find(userNameSchema.parse(name));
    if (before !== undefined && (role !== 'administrator' || disabled)) await this.#assertNotLast(before);
    const changes = before !== undefined && (before.role !== role || before.disabled !== disabled);
    const user: StoredUser = {
      ...(before ?? { createdAt: this.clock.now() }),
      ...{ name, role, disabled },
      ...(isExternal ? { isExternal } : {}),
      ...(fullName === undefined ? {} : { fullName }),
      generation: (before?.generation ?? 0) + (changes ? 1 : 0),
    };
    await this.state.write([USERS.put(name, user)]);
    return viewOf(user);
  }

  /** Ends every session, link and token of somebody. */
  async endAll(name: string): Promise<void> {
    const user = await this.get(name);
    await this.state.write([USERS.put(name, { ...user, generation: user.generation + 1 })]);
  }

  /** Changes what belongs to the second factor. @param ends - whether sessions, links and tokens end with it */
  async change(
    name: string,
    change: { readonly [K in 'secondFactor' | 'pendingSecret']?: StoredUser[K] | undefined },
    ends?: 'end',
  ): Promise<void> {
    const { pendingSecret, secondFactor, generation, ...user } = await this.get(name);
    const changed = defined({ pendingSecret, secondFactor, ...change });
    const next = { ...user, ...changed, generation: generation + (ends === 'end' ? 1 : 0) };
    await this.state.write([USERS.put(name, next)]);
  }

  /** Sets a password, and ends what was begun with the old one. */
  async setPassword(name: string, password: string): Promise<StoredUser> {
    const hash = await this.hashes.hash(passwordSchema.parse(password));
    const before = await this.get(name);
    const user = { ...before, password: hash, generation: before.generation + 1 };
    await this.state.write([USERS.put(name, user)]);
    return user;
  }

  /** A link with which somebody sets a password, once. @returns what makes it valid; it cannot be read again */
  async link(name: string): Promise<string> {
    const { generation } = await this.get(name);
    return this.#issue({ user: name, generation, expiresAt: this.clock.now() + LINK_LIFETIME });
  }

  /** A link for the first administrator; the one before ends. @returns undefined when there is an administrator */
  async setupLink(): Promise<string | undefined> {
    if (await this.#hasAdministrator()) return undefined;
    const open = (await this.state.list(LINKS)).filter(({ value }) => value.user === undefined);
    await this.state.write(open.map(({ key }) => LINKS.remove(key)));
    return this.#issue({ generation: 0, expiresAt: this.clock.now() + SETUP_LIFETIME });
  }

  /**
   * Sets the password of whom the link is for.
   *
   * @param newName - of the first administrator
   * @throws PantauError `LINK_INVALID`, the same whatever is wrong with it; `USAGE` for a name that is missing
   */
  async useLink(text: string, password: string, newName: string | undefined): Promise<string> {
    const parsed = parseSecret(LINK, text);
    const link = parsed && (await this.state.get(LINKS, parsed.id));
    if (parsed === undefined || link === undefined || !isSecret(link.digest, parsed.secret))
      throw invalidLink();
    const now = this.clock.now();
    if (now >= link.expiresAt) throw invalidLink();
    const name = link.user ?? newName;
    if (name === undefined)
      throw new PantauError('USAGE', 'the first administrator needs a name.', {
        fields: [{ field: 'name', message: 'expected a name' }],
      });
    const user = await this.find(name);
    const isValid =
      link.user === undefined ? !(await this.#hasAdministrator()) : user?.generation === link.generation;
    if (!isValid || user?.disabled === true) throw invalidLink();
    // Of several at the same time one is the first, whichever process they ask.
    if (!(await this.state.putIfAbsent(SPENT, `link/${parsed.id}`, now))) throw invalidLink();
    if (link.user === undefined) await this.put(name, { role: 'administrator', disabled: false });
    await this.setPassword(name, password);
    await this.state.write([LINKS.remove(parsed.id)]);
    await this.#forgetSpent(now);
    return name;
  }

  async #issue(link: Omit<Parameters<(typeof LINKS)['put']>[1], 'digest'>): Promise<string> {
    const { id, text, digest } = issueSecret(LINK);
    await this.state.write([LINKS.put(id, { ...link, digest })]);
    return text;
  }

  async #forgetSpent(now: UtcMillis): Promise<void> {
    const links = await this.state.list(SPENT, { prefix: 'link/' });
    const old = links.filter(({ value }) => now - value > SPENT_KEPT);
    await this.state.write(old.map(({ key }) => SPENT.remove(key)));
  }

  async #hasAdministrator(): Promise<boolean> {
    return (await this.state.list(USERS)).some(({ value }) => isAdministrator(value));
  }

  async #assertNotLast({ name, ...user }: StoredUser): Promise<void> {
    if (!isAdministrator({ name, ...user })) return;
    const others = (await this.state.list(USERS)).filter(({ key }) => key !== name);
    if (others.some(({ value }) => isAdministrator(value))) return;
    throw new PantauError('LAST_ADMINISTRATOR', `${name} is the last administrator.`, {
      remedy: 'Make another one first: pantau user add <name> --role administrator.',
    });
  }
}

function isAdministrator({ role, disabled }: StoredUser): boolean {
  return role === 'administrator' && !disabled;
}

function viewOf({ name, fullName, role, disabled, createdAt, ...user }: StoredUser): UserView {
  const hasPassword = user.password !== undefined;
  const hasSecondFactor = user.secondFactor !== undefined;
  return { name, fullName, role, disabled, createdAt, hasPassword, hasSecondFactor };
}

function invalidLink(): PantauError {
  return new PantauError('LINK_INVALID', 'the link is wrong, used or expired.', {
    remedy: 'Ask an administrator for a new one: pantau user reset <name>.',
  });
}
