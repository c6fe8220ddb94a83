import { MINUTE, PantauError, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import { changeRow, type StateStore } from '#libs/state';
import { SESSIONS, type StoredSession, type StoredUser } from '../namespaces.js';
import { permissionsOf, type Principal, type Role } from '../roles.js';
import { digestOf, isSecret, issueSecret, parseSecret } from './secrets.js';
import type { Users } from './users.js';

const PREFIX = 'session';
/** Of one person; with another one the oldest ends. */
const MOST_SESSIONS = 20;
/** Times that somebody was seen that are closer together are one. */
const SEEN_RESOLUTION: Millis = MINUTE;
const LONGEST_AGENT = 200;

export interface SessionLimits {
  /** Without a request for so long a session ends. */
  readonly idleMs: Millis;
  /** Whatever happens it ends after this. */
  readonly lifetimeMs: Millis;
  /** Roles that need a second factor; without one they look after their own account alone. */
  readonly secondFactor: readonly Role[];
}

/** Where and how a session is begun. */
export interface Origin {
  readonly address: string;
  readonly agent?: string | undefined;
  /** At the sign-on server, which looks at a second factor itself. */
  readonly isSignOn?: boolean;
}

export interface SessionView {
  readonly id: string;
  readonly createdAt: UtcMillis;
  readonly lastSeenAt: UtcMillis;
  readonly address: string;
  readonly agent?: string | undefined;
}

/** Somebody who is signed in. */
export interface OpenSession {
  readonly id: string;
  readonly principal: Principal;
  readonly user: StoredUser;
  /** `missing`: the role needs one, and allows nothing before. */
  readonly secondFactor: 'none' | 'active' | 'missing';
  /** What a page proves with that a change comes from it (`X-CSRF-Token`); it follows from the session. */
  readonly csrfToken: string;
}

/** Who is signed in. What the browser keeps is shown once and stored as a digest. */
export class Sessions {
  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
    private readonly users: Users,
    private readonly limits: SessionLimits,
  ) {}

  /** Begins a session, always with a new secret. @returns what goes into the cookie */
  async begin(
    user: StoredUser,
    { address, agent, isSignOn = false }: Origin,
  ): Promise<{ cookie: string; session: OpenSession }> {
    const now = this.clock.now();
    const { id, text, digest } = issueSecret(PREFIX);
    const stored: StoredSession = {
      ...{ user: user.name, generation: user.generation, digest, createdAt: now, lastSeenAt: now, address },
      ...(agent === undefined ? {} : { agent: agent.slice(0, LONGEST_AGENT) }),
      ...(isSignOn ? { isSignOn } : {}),
    };
    const all = await this.state.list(SESSIONS);
    const own = all
      .filter(({ value }) => value.user === user.name)
      .sort((a, b) => b.value.createdAt - a.value.createdAt);
    const ended = [...all.filter(({ value }) => this.#isOver(value, now)), ...own.slice(MOST_SESSIONS - 1)];
    await this.state.write([...ended.map(({ key }) => SESSIONS.remove(key)), SESSIONS.put(id, stored)]);
    const secret = parseSecret(PREFIX, text)?.secret ?? '';
    return { cookie: text, session: this.#opened({ id, secret }, stored, user) };
  }

  /**
   * @param isUse - false for a look that is no request of the person, such as that of an open live page: it does not prolong the session
   * @returns undefined for what is nobody's, too old, or of somebody who may not any more
   */
  async verify(cookie: string, isUse = true): Promise<OpenSession | undefined> {
    const parsed = parseSecret(PREFIX, cookie);
    const stored = parsed && (await this.state.get(SESSIONS, parsed.id));
    if (parsed === undefined || stored === undefined || !isSecret(stored.digest, parsed.secret))
      return undefined;
    const now = this.clock.now();
    const user = await this.users.find(stored.user);
    if (this.#isOver(stored, now) || user === undefined || !holds(stored, user)) return undefined;
    if (isUse && Math.abs(now - stored.lastSeenAt) >= SEEN_RESOLUTION) await this.#seen(parsed.id, now);
    return this.#opened(parsed, stored, user);
  }

  async list(user: StoredUser): Promise<readonly SessionView[]> {
    return (await this.open()).get(user.name) ?? [];
  }

  /** The sessions of everybody, by name. */
  async open(): Promise<ReadonlyMap<string, readonly SessionView[]>> {
    const now = this.clock.now();
    const users = new Map((await this.users.all()).map((user) => [user.name, user]));
    const found = new Map<string, SessionView[]>();
    for (const { key: id, value } of await this.state.list(SESSIONS)) {
      const user = users.get(value.user);
      if (user === undefined || !holds(value, user) || this.#isOver(value, now)) continue;
      const { createdAt, lastSeenAt, address, agent } = value;
      found.set(user.name, [...(found.get(user.name) ?? []), { id, createdAt, lastSeenAt, address, agent }]);
    }
    return found;
  }

  /** Ends a session of this person. @throws PantauError `NOT_FOUND` */
  async end(user: string, id: string): Promise<void> {
    if ((await this.state.get(SESSIONS, id))?.user !== user)
      throw new PantauError('NOT_FOUND', `no session ${id}.`, { remedy: 'GET /api/v1/sessions lists them.' });
    await this.state.write([SESSIONS.remove(id)]);
  }

  /** One that was ended meanwhile stays so. */
  async #seen(id: string, now: UtcMillis): Promise<void> {
    await changeRow(this.state, SESSIONS, id, (stored) => stored && { ...stored, lastSeenAt: now });
  }

  #opened(
    { id, secret }: { readonly id: string; readonly secret: string },
    { isSignOn = false }: StoredSession,
    user: StoredUser,
  ): OpenSession {
    const { name, role, secondFactor } = user;
    const isMissing = secondFactor === undefined && !isSignOn && this.limits.secondFactor.includes(role);
    const permissions = isMissing ? (['self'] as const) : permissionsOf(role, 'user');
    return {
      ...{ id, user, principal: { name, kind: 'user', permissions } },
      secondFactor: isMissing ? 'missing' : secondFactor === undefined ? 'none' : 'active',
      csrfToken: digestOf(`csrf ${secret}`).toString('base64url'),
    };
  }

  #isOver({ createdAt, lastSeenAt }: StoredSession, now: UtcMillis): boolean {
    return now - lastSeenAt >= this.limits.idleMs || now - createdAt >= this.limits.lifetimeMs;
  }
}

function holds(session: StoredSession, user: StoredUser): boolean {
  return !user.disabled && session.generation === user.generation;
}
