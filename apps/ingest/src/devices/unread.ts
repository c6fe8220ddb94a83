import { UNREAD_MEMBERS } from '#namespaces/ingest-state';
import type { StageState } from '#libs/journal-transport';
import type { UtcMillis } from '#libs/kernel';
import { withUnread, type Uplink } from '#libs/telemetry';

/** What the messages of one batch held beside the values that were read; written once, after the last of them. */
export class BatchUnread {
  readonly #noted = new Map<string, { readonly names: readonly string[]; readonly at: UtcMillis }[]>();

  constructor(private readonly state: StageState) {}

  note({ device, receivedAt: at }: Uplink, names: readonly string[]): void {
    const noted = this.#noted.get(device);
    if (noted === undefined) this.#noted.set(device, [{ names, at }]);
    else noted.push({ names, at });
  }

  async remember(): Promise<void> {
    if (this.#noted.size === 0) return;
    const devices = [...this.#noted.keys()];
    const stored = await this.state.getMany(UNREAD_MEMBERS, devices);
    for (const [i, device] of devices.entries()) {
      let unread = stored[i];
      for (const { names, at } of this.#noted.get(device) ?? []) unread = withUnread(unread, names, at);
      this.state.put(UNREAD_MEMBERS, device, unread);
    }
  }
}
