import { digestOf } from './users/secrets.js';
import { sortable, type Clock, type Millis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { KEYS, USES, type StoredKey } from './namespaces.js';

const PATTERN = /^prov_([a-f0-9]{16})_([A-Za-z0-9_-]{43})$/;

/** Keys with which devices of a site register themselves, each key for a number of devices and a time. */
export class ProvisioningKeys {
  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  /** @returns the key; it cannot be read again */
  async create(site: string, uses: number, lifetimeMs: Millis): Promise<string> {
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const value: StoredKey = {
      site,
      digest: digestOf(secret),
      uses,
      expiresAt: this.clock.now() + lifetimeMs,
    };
    await this.state.write([KEYS.put(id, value)]);
    return `prov_${id}_${secret}`;
  }

  /** The site of a valid key, without using it. */
  async site(key: string): Promise<string | undefined> {
    return (await this.#find(key))?.stored.site;
  }

  /** Uses the key once. @returns its site; undefined when the key is wrong, used up or expired */
  async use(key: string, device: string): Promise<string | undefined> {
    const found = await this.#find(key);
    if (found === undefined) return undefined;
    const { id, stored } = found;
    // Each use is a place that is taken once, whichever process asks.
    for (let place = 0; place < stored.uses; place++) {
      if (await this.state.putIfAbsent(USES, `${id}/${sortable(place, 6)}`, device)) return stored.site;
    }
    return undefined;
  }

  async #find(key: string): Promise<{ readonly id: string; readonly stored: StoredKey } | undefined> {
    const match = PATTERN.exec(key);
    if (match?.[1] === undefined || match[2] === undefined) return undefined;
    const stored = await this.state.get(KEYS, match[1]);
    if (stored === undefined || this.clock.now() >= stored.expiresAt) return undefined;
    return timingSafeEqual(stored.digest, digestOf(match[2])) ? { id: match[1], stored } : undefined;
  }
}
