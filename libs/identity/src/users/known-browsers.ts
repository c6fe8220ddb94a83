import type { StateStore } from '#libs/state';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseSecret, signingSecret } from './secrets.js';

const PREFIX = 'browser';
const AUDIENCE = 'pantau:browser';

/**
 * Browsers in which somebody has signed in before. Wrong passwords that others send from the same network do not make such a browser
 * wait: its own are counted apart. What it keeps lets nobody in.
 */
export class KnownBrowsers {
  constructor(private readonly state: StateStore) {}

  /** @returns what the browser keeps */
  async issue(user: string): Promise<string> {
    const id = randomBytes(8).toString('hex');
    return `${PREFIX}_${id}_${(await this.#mac(user, id)).toString('base64url')}`;
  }

  /** Which browser of this person it is; undefined when it is none. */
  async idOf(user: string, kept: string | undefined): Promise<string | undefined> {
    const parsed = kept === undefined ? undefined : parseSecret(PREFIX, kept);
    if (parsed === undefined) return undefined;
    const given = Buffer.from(parsed.secret, 'base64url');
    return timingSafeEqual(given, await this.#mac(user, parsed.id)) ? parsed.id : undefined;
  }

  async #mac(user: string, id: string): Promise<Buffer> {
    const secret = await signingSecret(this.state, AUDIENCE);
    return createHmac('sha256', secret).update(`${id} ${user}`).digest();
  }
}
