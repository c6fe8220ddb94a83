import {
  pageControllerPage,
  sessionControllerSession,
  sessionControllerSignIn,
  sessionControllerSignOut,
} from '../../client';
import { href } from '../core/base';
import { answer, authority } from './call';
import { ProblemError } from './problem';

type Who = Awaited<ReturnType<typeof whoIsSignedIn>>;
export type Permission = Who['permissions'][number];

const whoIsSignedIn = async () => answer(sessionControllerSession());

/** Who uses the page. */
class Session {
  #who = $state.raw<Who>();
  #state = $state<'asking' | 'nobody' | 'open' | 'ended' | 'unreachable'>('asking');
  #singleSignOn = $state(false);
  readonly #tabs = new BroadcastChannel('pantau-session');

  constructor() {
    authority.refused = () => {
      // What somebody was about to do stays on the page, below the form to sign in.
      if (this.#state === 'open') this.#state = 'ended';
    };
    this.#tabs.onmessage = () => void this.start();
  }

  get who(): Who | undefined {
    return this.#who;
  }

  /** `ended`: somebody was signed in, and the page still shows what he did. */
  get state() {
    return this.#state;
  }

  get singleSignOn(): boolean {
    return this.#singleSignOn;
  }

  may(permission: Permission): boolean {
    return this.#who?.permissions.includes(permission) === true;
  }

  async start(): Promise<void> {
    try {
      this.#opened(await whoIsSignedIn());
    } catch (error) {
      const nobody = error instanceof ProblemError && [401, 403].includes(error.problem.status);
      if (this.#state === 'open' || this.#state === 'ended') {
        if (nobody) this.#state = 'ended';
        return;
      }
      this.#state = nobody ? 'nobody' : 'unreachable';
      if (nobody) await this.#askWays();
    }
  }

  /** @throws ProblemError */
  async signIn(name: string, password: string, code: string): Promise<void> {
    const body = { name, password, ...(code === '' ? {} : { code }) };
    this.#opened(await answer(sessionControllerSignIn({ body })));
    this.#tabs.postMessage('in');
  }

  /** @throws ProblemError */
  async signOut(): Promise<void> {
    await answer(sessionControllerSignOut());
    this.#tabs.postMessage('out');
    // Nothing of what somebody saw stays in memory.
    location.assign(href('/'));
  }

  #opened(who: Who): void {
    // Somebody else at the same browser sees nothing of what was there before.
    if (this.#who !== undefined && this.#who.user !== who.user) location.reload();
    authority.csrfToken = who.csrfToken;
    this.#who = who;
    this.#state = 'open';
  }

  async #askWays(): Promise<void> {
    const ways = await answer(pageControllerPage()).catch(() => undefined);
    this.#singleSignOn = ways?.singleSignOn === true;
  }
}

export const session = new Session();
