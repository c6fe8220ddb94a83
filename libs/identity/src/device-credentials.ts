import { digestOf } from './users/secrets.js';
import { PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { StateStore, StateWrite } from '#libs/state';
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { FairQueue } from './passwords/fair-queue.js';
import { ACCESS, CREDENTIALS, type DeviceAccess, type StoredCredential } from './namespaces.js';
import { ScryptThread } from './passwords/scrypt-thread.js';

const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const HASH_BYTES = 32;
/** 144 bits: 24 characters that survive being typed from a sheet. */
const PASSWORD_BYTES = 18;

/** scrypt computations at a time: never on every core, so that a flood of guesses leaves one to the broker and the journal. */
const CONCURRENT_DERIVATIONS = Math.max(1, Math.min(2, availableParallelism() - 1));
/** Beyond this many waiting, guesses are turned away unanswered. */
const WAITING_DERIVATIONS = 4_000;
/** The same for one source; the fleet behind an address that comes back for the first time is one. */
const WAITING_PER_SOURCE = 2_000;
/** Longer ones are nobody's. */
const MAX_PASSWORD_BYTES = 1_024;

/** Looks at what lets somebody in, and throws when it shall not be changed; nobody changes it in between. */
export type AccessCheck = () => Promise<void>;

/** Passwords of devices and service accounts. Issued once, shown once, stored only as a hash. */
export class DeviceCredentials {
  /** Digests of passwords that were verified, so that a fleet that reconnects does not pay scrypt (16 MiB) again each time. */
  readonly #verified = new Map<string, { readonly record: string; readonly digest: Buffer }>();

  readonly #queue = new FairQueue({
    concurrent: CONCURRENT_DERIVATIONS,
    waitingPerSource: WAITING_PER_SOURCE,
    waiting: WAITING_DERIVATIONS,
  });
  readonly #idle: ScryptThread[] = [];

  constructor(
    private readonly state: StateStore,
    private readonly clock: Clock,
  ) {}

  /** Makes a new password for the device and forgets the old one. @returns the password; it cannot be read again */
  async issue(device: string): Promise<string> {
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    await this.set(device, password);
    return password;
  }

  /** Stores a password that the device already has, and begins a new generation of its access. */
  async set(device: string, password: string): Promise<void> {
    const salt = randomBytes(16);
    const hash = await derive(password, salt, {
      cost: COST,
      blockSize: BLOCK_SIZE,
      parallelization: PARALLELIZATION,
    });
    const value: StoredCredential = {
      algorithm: 'scrypt',
      cost: COST,
      blockSize: BLOCK_SIZE,
      parallelization: PARALLELIZATION,
      salt,
      hash,
      issuedAt: this.clock.now(),
    };
    await this.#renew(device, false, [CREDENTIALS.put(device, value)]);
  }

  /** Ends every way in: password, tokens and certificate. {@link issue} opens it again. */
  async revoke(device: string, check?: AccessCheck): Promise<void> {
    await this.#renew(device, true, [CREDENTIALS.remove(device)], check);
  }

  /** Takes a revocation back. No password or token of before is valid again. */
  async reopen(device: string, check?: AccessCheck): Promise<void> {
    await this.#renew(device, false, [], check);
  }

  /** Begins a new generation of its access, each its own, however many do so at the same instant. */
  async #renew(
    device: string,
    revoked: boolean,
    writes: readonly StateWrite[],
    check?: AccessCheck,
  ): Promise<void> {
    let seen, access: DeviceAccess;
    do {
      seen = await this.state.get(ACCESS, device);
      await check?.();
      access = { generation: (seen?.generation ?? 0) + 1, revoked };
    } while (
      !(await this.state.writeIf([ACCESS.seen(device, seen)], [...writes, ACCESS.put(device, access)]))
    );
  }

  async access(device: string): Promise<DeviceAccess> {
    return (await this.state.get(ACCESS, device)) ?? { generation: 0, revoked: false };
  }

  async has(device: string): Promise<boolean> {
    return (await this.issuedAt(device)) !== undefined;
  }

  /** When its password was made; undefined where it has none. */
  async issuedAt(device: string): Promise<UtcMillis | undefined> {
    return (await this.state.get(CREDENTIALS, device))?.issuedAt;
  }

  /** Of these, those that are shut out. */
  async revokedOf(devices: readonly string[]): Promise<string[]> {
    const access = await this.state.getMany(ACCESS, devices);
    return devices.filter((_device, i) => access[i]?.revoked === true);
  }

  /** Whether this very password was verified before and is still valid: an answer that costs nothing. */
  async isKnown(device: string, password: string): Promise<boolean> {
    const stored = await this.state.get(CREDENTIALS, device);
    const known = this.#verified.get(device);
    return (
      stored !== undefined &&
      known?.record === recordOf(stored) &&
      timingSafeEqual(known.digest, digestOf(password))
    );
  }

  /**
   * Whether the password is the device's. False for a device without one, after as much work as for one that has
   * one: the time of the answer does not tell which devices exist.
   *
   * @param source - where the password comes from: the sources of those that wait take turns
   * @param mayStart - asked when its turn has come, which may be long after the call
   * @throws PantauError `OVERLOADED` (transient) when too many wait already, or it may not start
   */
  async verify(
    device: string,
    password: string,
    source = '',
    mayStart: () => boolean = () => true,
  ): Promise<boolean> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return false;
    if (await this.isKnown(device, password)) return true;
    const stored = await this.state.get(CREDENTIALS, device);
    const { cost, blockSize, parallelization, salt, hash } = stored ?? NOBODY;
    const derived = await this.#queue.run(source, () => {
      if (!mayStart())
        throw new PantauError('OVERLOADED', 'too many wrong passwords came from there.', { transient: true });
      return this.#inThread((thread) =>
        thread.derive({ password, salt, bytes: HASH_BYTES, cost, blockSize, parallelization }),
      );
    });
    if (!timingSafeEqual(derived, hash) || stored === undefined) return false;
    this.#verified.set(device, { record: recordOf(stored), digest: digestOf(password) });
    return true;
  }

  async #inThread<T>(work: (thread: ScryptThread) => Promise<T>): Promise<T> {
    const thread = this.#idle.pop() ?? new ScryptThread();
    try {
      return await work(thread);
    } finally {
      this.#idle.push(thread);
    }
  }
}

/** Stands in for a device that does not exist. */
const NOBODY = {
  cost: COST,
  blockSize: BLOCK_SIZE,
  parallelization: PARALLELIZATION,
  salt: Buffer.alloc(16),
  hash: Buffer.alloc(HASH_BYTES),
};

function recordOf({ hash }: StoredCredential): string {
  return Buffer.from(hash).toString('base64');
}

function derive(password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { maxmem: 128 * 1024 * 1024, ...options }, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
