import { PantauError } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { ACCOUNTS } from './namespaces.js';
import { accountSchema, type ServiceAccount } from './registered.js';

/** The service accounts. Their passwords are with those of the devices: an id is one or the other. */
export class ServiceAccounts {
  constructor(private readonly state: StateStore) {}

  async put(account: ServiceAccount): Promise<void> {
    await this.state.write([ACCOUNTS.put(account.id, accountSchema.parse(account))]);
  }

  async get(id: string): Promise<ServiceAccount | undefined> {
    return this.state.get(ACCOUNTS, id);
  }

  async list(): Promise<ServiceAccount[]> {
    return (await this.state.list(ACCOUNTS)).map(({ value }) => value);
  }

  /** @throws PantauError `ACCOUNT_UNKNOWN` */
  async remove(id: string): Promise<void> {
    if ((await this.get(id)) === undefined)
      throw new PantauError('ACCOUNT_UNKNOWN', `no service account ${id}.`);
    await this.state.write([ACCOUNTS.remove(id)]);
  }
}
