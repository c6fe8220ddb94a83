import type { Journal } from '#libs/journal';
import { canonicalJson, defined, PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { IdentityChange } from '#libs/telemetry';
import type { ServiceAccounts } from './accounts.js';
import type { AccessCheck, DeviceCredentials } from './device-credentials.js';
import type { ProvisioningKeys } from './provisioning-keys.js';
import { deviceSchema, type Device, type DeviceService, type ServiceAccount } from './registered.js';
import type { Registry } from './registry.js';

/** What lets a device or an account in. */
export interface AccessView {
  readonly service: DeviceService;
  /** Since when a device is out of service. */
  readonly since?: UtcMillis;
  /** When its password was made; absent where it has none. */
  readonly passwordAt?: UtcMillis;
}

export interface AdministrationDependencies {
  readonly registry: Registry;
  readonly credentials: DeviceCredentials;
  readonly accounts: ServiceAccounts;
  readonly keys: ProvisioningKeys;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** Changes who may connect. Every change is told to the brokers through the stream `identity`, so it holds at once. */
export class Administration {
  constructor(private readonly pantau: AdministrationDependencies) {}

  /**
   * Registers a device and issues its password.
   *
   * @returns the password; it cannot be read again
   * @throws PantauError `DEVICE_EXISTS` also when a service account has the id, `SITE_UNKNOWN` when its site is not registered
   */
  async addDevice(device: Device): Promise<string> {
    const { registry, credentials } = this.pantau;
    await this.#assertFree(device.id);
    await registry.putDevice(device, undefined, (before) => {
      if (before !== undefined) throw existing(device.id);
    });
    return credentials.issue(device.id);
  }

  /** A new password; the old one and every token end, and the device is disconnected. */
  async rotate(id: string): Promise<string> {
    await this.#assertKnown(id);
    const password = await this.pantau.credentials.issue(id);
    await this.#record(id, 'open');
    await this.#tell(id, 'rotated');
    return password;
  }

  /** Shuts the device or account out, and disconnects it. What it sent stays. */
  async revoke(id: string, check?: AccessCheck): Promise<void> {
    await this.#assertKnown(id);
    await this.pantau.credentials.revoke(id, check);
    await this.#record(id, 'revoked');
    await this.#tell(id, 'revoked');
  }

  /** Lets a device or account in again. It has no password before {@link rotate} makes one. */
  async reopen(id: string, check?: AccessCheck): Promise<void> {
    await this.#assertKnown(id);
    await this.pantau.credentials.reopen(id, check);
    await this.#record(id, 'open');
    await this.#tell(id, 'changed');
  }

  /** What lets a device or account in now. */
  async access(id: string): Promise<AccessView> {
    const { credentials } = this.pantau;
    const passwordAt = await credentials.issuedAt(id);
    const since = (await this.outOfService([id])).get(id);
    const { revoked } = await credentials.access(id);
    return { service: revoked ? 'revoked' : 'open', ...defined({ since, passwordAt }) };
  }

  /** Of these devices those that are out of service, and since when. */
  async outOfService(devices: readonly string[]): Promise<ReadonlyMap<string, UtcMillis>> {
    const { registry, credentials } = this.pantau;
    const since = new Map<string, UtcMillis>();
    for (const id of await credentials.revokedOf(devices)) {
      const last = await registry.settings.last<DeviceService>(`access/${id}`);
      if (last?.value === 'revoked') since.set(id, last.from);
    }
    return since;
  }

  /** Makes or changes a service account. @returns the password of a new one, undefined for one that was changed */
  async putAccount(account: ServiceAccount): Promise<string | undefined> {
    return (await this.saveAccount(account)) ? this.pantau.credentials.issue(account.id) : undefined;
  }

  /**
   * Makes or changes a service account, whose password is issued apart.
   *
   * @param check - as that of {@link ServiceAccounts.put}
   * @returns whether it is new
   * @throws PantauError `DEVICE_EXISTS` when a device has the id
   */
  async saveAccount(
    account: ServiceAccount,
    check?: Parameters<ServiceAccounts['put']>[1],
  ): Promise<boolean> {
    const { registry, accounts } = this.pantau;
    if ((await registry.device(account.id)) !== undefined) throw existing(account.id);
    const before = await accounts.put(account, check);
    if (before !== undefined && canonicalJson(before) !== canonicalJson(account))
      await this.#tell(account.id, 'changed');
    return before === undefined;
  }

  /** @param check - as that of {@link ServiceAccounts.remove} */
  async removeAccount(id: string, check?: Parameters<ServiceAccounts['remove']>[1]): Promise<void> {
    await this.pantau.accounts.remove(id, check);
    await this.pantau.credentials.revoke(id);
    await this.#tell(id, 'revoked');
  }

  /**
   * A device registers itself with a provisioning key of its site.
   *
   * @throws PantauError `PROVISIONING_REFUSED`, the same for every reason that has to do with the key
   */
  async claim(
    key: string,
    wanted: Omit<Device, 'site' | 'speaksFor'>,
  ): Promise<Device & { password: string }> {
    const { keys, registry, accounts, credentials } = this.pantau;
    const site = await keys.site(key);
    if (site === undefined) throw refusedKey();
    const device = deviceSchema.parse({ ...wanted, site });
    const assertFree = (taken: unknown): void => {
      if (taken !== undefined)
        throw new PantauError('PROVISIONING_REFUSED', `the id ${device.id} is taken.`, {
          remedy: 'Choose another id, or ask the operator to rotate its password.',
        });
    };
    assertFree((await registry.device(device.id)) ?? (await accounts.get(device.id)));
    if ((await keys.use(key, device.id)) === undefined) throw refusedKey();
    await registry.putDevice(device, undefined, assertFree);
    return { ...device, password: await credentials.issue(device.id) };
  }

  /** Accounts owe nothing, so nothing of them is recorded. */
  async #record(id: string, service: DeviceService): Promise<void> {
    const { registry } = this.pantau;
    if ((await registry.device(id)) !== undefined) await registry.putService(id, service);
  }

  async #assertKnown(id: string): Promise<void> {
    const { registry, accounts } = this.pantau;
    if (((await registry.device(id)) ?? (await accounts.get(id))) === undefined)
      throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
  }

  async #assertFree(id: string): Promise<void> {
    const { registry, accounts } = this.pantau;
    if (((await registry.device(id)) ?? (await accounts.get(id))) === undefined) return;
    throw existing(id);
  }

  async #tell(id: string, change: IdentityChange['change']): Promise<void> {
    const data: IdentityChange = { id, change, at: this.pantau.clock.now() };
    await this.pantau.journal.append('identity', [{ key: id, data }]);
  }
}

function existing(id: string): PantauError {
  return new PantauError('DEVICE_EXISTS', `the id ${id} is registered.`, {
    remedy: `For a new password: pantau device rotate ${id}`,
  });
}

function refusedKey(): PantauError {
  return new PantauError('PROVISIONING_REFUSED', 'the provisioning key is wrong, used up or expired.', {
    remedy: 'Ask the operator for a new one: pantau site key.',
  });
}
