import { PantauError } from '#libs/kernel';
import { changeRow, type StateStore } from '#libs/state';
import { ACCOUNTS } from './namespaces.js';
import { accountSchema, type ServiceAccount } from './registered.js';

/** The service accounts. Their passwords are with those of the devices: an id is one or the other. */
export class ServiceAccounts {
  constructor(private readonly state: StateStore) {}

  /**
   * @param check - looks at what is there, and throws when it shall not be changed; nobody changes it in between
   * @returns what was there before
   */
  async put(
    account: ServiceAccount,
    check: (before: ServiceAccount | undefined) => void = () => undefined,
  ): Promise<ServiceAccount | undefined> {
    const after = accountSchema.parse(account);
    let seen: ServiceAccount | undefined;
    await changeRow(this.state, ACCOUNTS, account.id, (before) => {
      check(before);
      seen = before;
      return after;
    });
    return seen;
  }

  async get(id: string): Promise<ServiceAccount | undefined> {
    return this.state.get(ACCOUNTS, id);
  }

  /** In the order of their ids. @param after - only those behind this id @param limit - at most so many */
  async after(after: string | undefined, limit: number): Promise<ServiceAccount[]> {
    const range = after === undefined ? { limit } : { from: after, limit: limit + 1 };
    const found = (await this.state.list(ACCOUNTS, range)).filter(({ key }) => key !== after);
    return found.slice(0, limit).map(({ value }) => value);
  }

  async list(): Promise<ServiceAccount[]> {
    return (await this.state.list(ACCOUNTS)).map(({ value }) => value);
  }

  /** @param check - as that of {@link put} @throws PantauError `ACCOUNT_UNKNOWN` */
  async remove(id: string, check: (before: ServiceAccount) => void = () => undefined): Promise<void> {
    await changeRow(this.state, ACCOUNTS, id, (before) => {
      if (before === undefined) throw new PantauError('ACCOUNT_UNKNOWN', `no service account ${id}.`);
      check(before);
      return undefined;
    });
  }
}
