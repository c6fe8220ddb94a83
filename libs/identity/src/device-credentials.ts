import type { Clock, UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { createHash, randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** How a password is stored: scrypt (RFC 7914), memory-hard; the parameters stand beside the hash so that they can grow. */
interface StoredCredential {
  readonly algorithm: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly issuedAt: UtcMillis;
}

const CREDENTIALS = 'identity/device-credentials';
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const HASH_BYTES = 32;
/** 144 bits: 24 characters that survive being typed from a sheet. */
const PASSWORD_BYTES = 18;

/** Passwords of devices. Issued once, shown once, stored only as a hash. */
export class DeviceCredentials {
  /** Digests of passwords that were verified, so that a fleet that reconnects does not pay scrypt (16 MiB) again each time. */
  readonly #verified = new Map<string, { readonly record: string; readonly digest: Buffer }>();

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

  /** Stores a password that the device already has. */
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
    await this.state.write([{ namespace: CREDENTIALS, key: device, value }]);
  }

  async revoke(device: string): Promise<void> {
    await this.state.write([{ namespace: CREDENTIALS, key: device, value: undefined }]);
  }

  async has(device: string): Promise<boolean> {
    return (await this.state.get(CREDENTIALS, device)) !== undefined;
  }

  /** Whether the password is the device's. False for a device without one. */
  async verify(device: string, password: string): Promise<boolean> {
    const stored = await this.state.get<StoredCredential>(CREDENTIALS, device);
    if (stored === undefined) return false;
    const record = Buffer.from(stored.hash).toString('base64');
    const digest = createHash('sha256').update(password).digest();
    const known = this.#verified.get(device);
    if (known?.record === record && timingSafeEqual(known.digest, digest)) return true;
    const { cost, blockSize, parallelization, salt, hash } = stored;
    const derived = await derive(password, salt, { cost, blockSize, parallelization });
    if (!timingSafeEqual(derived, hash)) return false;
    this.#verified.set(device, { record, digest });
    return true;
  }
}

function derive(password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { maxmem: 128 * 1024 * 1024, ...options }, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
