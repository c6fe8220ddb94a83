import { CLOCK_LEDGER, DEVICE_MEMORY } from '#namespaces/ingest-state';
import type { Batch, StageState } from '#libs/journal-transport';
import { DAY, localDateOf, localDaySpan, type UtcMillis } from '#libs/kernel';
import { DeviceMemory } from '#libs/quality-control';
import type { ClockDay, Uplink } from '#libs/telemetry';
import type { Held, KnownDevices } from './known-devices.js';

/** A device in one batch: what is known of it, and what its messages change. */
export interface BatchDevice {
  readonly id: string;
  /** What holds at the arrival of the message that is being read, see {@link holdAt}. */
  held: Held;
  readonly history: readonly Held[];
  readonly memory: DeviceMemory;
  /** Set when there is something new to remember. */
  hasChanged: boolean;
}

/**
 * The devices of one batch. What is remembered of each is read once, before its first message, and written once, after the
 * last: in between hardly anything has to be waited for.
 */
export class BatchDevices {
  readonly #devices = new Map<string, BatchDevice>();

  private constructor(
    private readonly state: StageState,
    private readonly directory: KnownDevices,
    private readonly known: Map<string, readonly Held[]>,
  ) {}

  static async open(state: StageState, directory: KnownDevices): Promise<BatchDevices> {
    return new BatchDevices(state, directory, await directory.current());
  }

  /** Makes the devices that sent something ready to be asked for. */
  async expect(piece: Batch<Uplink>): Promise<void> {
    const senders = new Set<string>();
    for (const { data } of piece) if (!this.#devices.has(data.device)) senders.add(data.device);
    if (senders.size > 0) await this.#add([...senders]);
  }

  /** A device that sent something in this batch, or was looked up before. */
  get(id: string): BatchDevice | undefined {
    return this.#devices.get(id);
  }

  /** Any device. */
  async find(id: string): Promise<BatchDevice> {
    if (!this.#devices.has(id)) await this.#add([id]);
    return this.#devices.get(id) as BatchDevice;
  }

  /** Lets the day of an arrival begin in the ledger of clocks; the one before is written to the ledger. */
  async turnDay(device: BatchDevice, receivedAt: UtcMillis): Promise<void> {
    const { id, memory } = device;
    if (memory.clock !== undefined) {
      const over: ClockDay = { day: localDateOf(memory.dayFrom), ...memory.clock };
      this.state.put(CLOCK_LEDGER, `${id}/${over.day}`, over);
    }
    const day = localDateOf(receivedAt);
    memory.dayFrom = localDaySpan(day)?.from ?? 0;
    // There already when the broker's clock was set back over midnight.
    memory.clock = await this.state.get(CLOCK_LEDGER, `${id}/${day}`);
    device.hasChanged = true;
  }

  /** Hands over what is to be remembered. */
  remember(): void {
    for (const device of this.#devices.values())
      if (device.hasChanged) this.state.put(DEVICE_MEMORY, device.id, device.memory.stored());
  }

  async #add(ids: readonly string[]): Promise<void> {
    const memories = await this.state.getMany(DEVICE_MEMORY, ids);
    for (const [i, id] of ids.entries()) {
      let known = this.known.get(id);
      if (known === undefined) this.known.set(id, (known = await this.directory.look(id)));
      const memory = new DeviceMemory(memories[i]);
      this.#devices.set(id, { id, held: known[0] as Held, history: known, memory, hasChanged: false });
    }
  }
}

/** Whether an arrival belongs to the day of the ledger of clocks that goes on. */
export function isOfTheDay({ memory }: BatchDevice, receivedAt: UtcMillis): boolean {
  const { clock, dayFrom } = memory;
  return clock !== undefined && receivedAt >= dayFrom && receivedAt < dayFrom + DAY;
}

/** Lets hold for the device what held when the message arrived. */
export function holdAt(device: BatchDevice, receivedAt: UtcMillis): void {
  const { held, history } = device;
  if (receivedAt >= held.from && receivedAt < held.until) return;
  device.held = history.findLast(({ from }) => from <= receivedAt) ?? (history[0] as Held);
}
