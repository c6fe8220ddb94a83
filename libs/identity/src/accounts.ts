import { PantauError } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { ID_PATTERN, isTopicFilter } from '#libs/telemetry';
import { z } from 'zod';

const filters = z
  .array(z.string().refine(isTopicFilter, 'expected an MQTT topic filter, such as pantau/v1/+/+/telemetry'))
  .max(100);

/** An integration, a bridge, a test suite: something that is no device and holds explicit topic filters. */
export const accountSchema = z.strictObject({
  id: z.string().regex(ID_PATTERN, 'expected lower-case letters, digits and hyphens, at most 63'),
  /** Topics that it may write to. Below `pantau/v1/{site}/{device}/` it then speaks for that device. */
  publish: filters,
  /** Topics that it may read. `$SYS` only by name: `#` does not include it. */
  subscribe: filters,
});
export type ServiceAccount = z.infer<typeof accountSchema>;

const ACCOUNTS = 'identity/accounts';

/** The service accounts. Their passwords are with those of the devices: an id is one or the other. */
export class Accounts {
  constructor(private readonly state: StateStore) {}

  async put(account: ServiceAccount): Promise<void> {
    await this.state.write([{ namespace: ACCOUNTS, key: account.id, value: accountSchema.parse(account) }]);
  }

  async get(id: string): Promise<ServiceAccount | undefined> {
    return this.state.get<ServiceAccount>(ACCOUNTS, id);
  }

  async list(): Promise<ServiceAccount[]> {
    return (await this.state.list<ServiceAccount>(ACCOUNTS)).map(({ value }) => value);
  }

  /** @throws PantauError `ACCOUNT_UNKNOWN` */
  async remove(id: string): Promise<void> {
    if ((await this.get(id)) === undefined)
      throw new PantauError('ACCOUNT_UNKNOWN', `no service account ${id}.`);
    await this.state.write([{ namespace: ACCOUNTS, key: id, value: undefined }]);
  }
}
