import { DAY, PantauError, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { z } from 'zod';
import { LINKS, USERS, type StoredLink, type StoredUser } from '../namespaces.js';
import { ROLES, type Role } from '../roles.js';
import { KnownBrowsers } from './known-browsers.js';
import { PasswordHashes } from './password-hashes.js';
import { isSecret, issueSecret, parseSecret } from './secrets.js';

const LINK = 'link';
const SETUP_LIFETIME: Millis = DAY;
const LINK_LIFETIME: Millis = 3 * DAY;

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
  readonly browsers: KnownBrowsers;

  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {
    this.browsers = new KnownBrowsers(state);
  }

  async find(name: string): Promise<StoredUser | undefined> {
    return this.state.get(USERS, name);
  }

  async list(): Promise<UserView[]> {
    return (await this.all()).map(viewOf);
  }

  async all(): Promise<StoredUser[]> {
    return (await this.state.list(USERS)).map(({ value }) => value);
  }

  /** @throws PantauError `USER_UNKNOWN` */
  async get(name: string): Promise<StoredUser> {
    const user = await this.find(name);
    if (user === undefined) throw unknownUser(name);
    return user;
  }

  /**
   * Adds somebody, or changes what they are; a change of role ends what was begun with the old one.
   *
   * @param check - looks at what is there, and throws when it shall not be changed
   * @throws PantauError `LAST_ADMINISTRATOR`
   */
  async put(
    name: string,
    { fullName, role, disabled }: z.output<typeof userSchema>,
    check: (before: UserView | undefined) => void = () => undefined,
  ): Promise<UserView> {
    userNameSchema.parse(name);
    const after = await this.#change(name, (before) => {
      check(before && viewOf(before));
      const ends = before !== undefined && (before.role !== role || before.disabled !== disabled);
      if (before !== undefined && !ends && (fullName ?? before.fullName) === before.fullName) return before;
      const generation = (before?.generation ?? 0) + (ends ? 1 : 0);
      return {
        ...(before ?? { createdAt: this.clock.now() }),
        ...{ name, role, disabled, generation },
        ...(fullName === undefined ? {} : { fullName }),
        ...(disabled || before?.disabled === true ? { endedBefore: generation } : {}),
      };
    });
    return viewOf(after);
  }

  /**
   * Ends every session, link and token of somebody.
   *
   * @param isRemoved - display links too
   */
  async endAll(name: string, isRemoved = false): Promise<void> {
    await this.change(name, (user) => {
      const generation = user.generation + 1;
      return { ...user, generation, ...(isRemoved ? { endedBefore: generation } : {}) };
    });
  }

  /**
   * Changes somebody by what the row holds, however many do so at the same instant.
   *
   * @param decide - may be asked more than once; the same object for no change
   * @throws PantauError `USER_UNKNOWN`, `LAST_ADMINISTRATOR`, and what `decide` throws
   */
  async change(name: string, decide: (before: StoredUser) => StoredUser): Promise<StoredUser> {
    return this.#change(name, (before) => {
      if (before === undefined) throw unknownUser(name);
      return decide(before);
    });
  }

  /** Sets a password, and ends what was begun with the old one. */
  async setPassword(name: string, password: string): Promise<StoredUser> {
    const hash = await this.hashes.hash(passwordSchema.parse(password));
    return this.change(name, (before) => withPassword(before, hash));
  }

  /**
   * A link with which somebody sets a password, once; one from before ends.
   *
   * @returns what makes it valid; it cannot be read again
   */
  async link(name: string): Promise<string> {
    const { generation } = await this.get(name);
    return this.#issue({ user: name, generation, expiresAt: this.clock.now() + LINK_LIFETIME });
  }

  /** A link for the first administrator; the one before ends. @returns undefined when there is an administrator */
  async setupLink(): Promise<string | undefined> {
    if (await this.#hasAdministrator()) return undefined;
    return this.#issue({ generation: 0, expiresAt: this.clock.now() + SETUP_LIFETIME });
  }

  /**
   * Sets the password of whom the link is for. The link ends in the same commit: of several who use it one sets a password, and
   * what fails before leaves it valid.
   *
   * @param newName - of the first administrator
   * @throws PantauError `LINK_INVALID`, the same whatever is wrong with it; `USAGE` for a name that is missing
   */
  async useLink(text: string, password: string, newName: string | undefined): Promise<string> {
    await this.#linked(text, newName);
    const hash = await this.hashes.hash(passwordSchema.parse(password));
    for (;;) {
      const { id, link, name, user } = await this.#linked(text, newName);
      const role: Role | undefined = link.user === undefined ? 'administrator' : user?.role;
      if (role === undefined) throw invalidLink();
      const base: StoredUser = {
        ...(user ?? { createdAt: this.clock.now(), generation: 0 }),
        ...{ name, role, disabled: false },
      };
      const seen = [LINKS.seen(id, link), USERS.seen(name, user)];
      const writes = [LINKS.remove(id), USERS.put(name, withPassword(base, hash))];
      if (await this.state.writeIf(seen, writes)) return name;
    }
  }

  /** A valid link and whom it is for. @throws PantauError as {@link useLink} */
  async #linked(
    text: string,
    newName: string | undefined,
  ): Promise<{ id: string; link: StoredLink; name: string; user: StoredUser | undefined }> {
    const parsed = parseSecret(LINK, text);
    const link = parsed && (await this.state.get(LINKS, parsed.id));
    if (parsed === undefined || link === undefined || !isSecret(link.digest, parsed.secret))
      throw invalidLink();
    if (this.clock.now() >= link.expiresAt) throw invalidLink();
    const name = link.user ?? newName;
    if (name === undefined)
      throw new PantauError('USAGE', 'the first administrator needs a name.', {
        fields: [{ field: 'name', message: 'expected a name' }],
      });
    const user = await this.find(name);
    const isValid =
      link.user === undefined ? !(await this.#hasAdministrator()) : user?.generation === link.generation;
    if (!isValid || user?.disabled === true) throw invalidLink();
    return { id: parsed.id, link, name: userNameSchema.parse(name), user };
  }

  /** The row of the last administrator but one is decided by as well: two who take the role from each other do not both. */
  async #change(name: string, decide: (before: StoredUser | undefined) => StoredUser): Promise<StoredUser> {
    for (;;) {
      const before = await this.find(name);
      const after = decide(before);
      if (after === before) return after;
      const seen = [USERS.seen(name, before)];
      if (before !== undefined && isAdministrator(before) && !isAdministrator(after)) {
        const other = (await this.state.list(USERS)).find(
          ({ key, value }) => key !== name && isAdministrator(value),
        );
        if (other === undefined) throw lastAdministrator(name);
        seen.push(USERS.seen(other.key, other.value));
      }
      if (await this.state.writeIf(seen, [USERS.put(name, after)])) return after;
    }
  }

  /** Of one person there is one link, which is the newest. */
  async #issue(link: Omit<StoredLink, 'digest'>): Promise<string> {
    const { id, text, digest } = issueSecret(LINK);
    const now = this.clock.now();
    const ended = (await this.state.list(LINKS)).filter(
      ({ value }) => value.user === link.user || now >= value.expiresAt,
    );
    await this.state.write([
      ...ended.map(({ key }) => LINKS.remove(key)),
      LINKS.put(id, { ...link, digest }),
    ]);
    return text;
  }

  async #hasAdministrator(): Promise<boolean> {
    return (await this.state.list(USERS)).some(({ value }) => isAdministrator(value));
  }
}

function withPassword(user: StoredUser, hash: string): StoredUser {
  return { ...user, password: hash, generation: user.generation + 1 };
}

function isAdministrator({ role, disabled }: StoredUser): boolean {
  return role === 'administrator' && !disabled;
}

/** Somebody as others see them. */
export function viewOf({ name, fullName, role, disabled, createdAt, ...user }: StoredUser): UserView {
  const hasPassword = user.password !== undefined;
  const hasSecondFactor = user.secondFactor !== undefined;
  return { name, fullName, role, disabled, createdAt, hasPassword, hasSecondFactor };
}

function unknownUser(name: string): PantauError {
  return new PantauError('USER_UNKNOWN', `nobody is called ${name}.`, {
    remedy: 'List them: pantau user list.',
  });
}

function lastAdministrator(name: string): PantauError {
  return new PantauError('LAST_ADMINISTRATOR', `${name} is the last administrator.`, {
    remedy: 'Make another one first: pantau user add <name> --role administrator.',
  });
}

function invalidLink(): PantauError {
  return new PantauError('LINK_INVALID', 'the link is wrong, used or expired.', {
    remedy: 'Ask an administrator for a new one: pantau user reset <name>.',
  });
}
