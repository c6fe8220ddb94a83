import type { Device } from '#libs/identity';
import type { Batch, StageState } from '#libs/journal-transport';
import { DAY, localDateOf, localDaySpan, type UtcMillis } from '#libs/kernel';
import {
  DEVICE_MEMORY,
  DeviceMemory,
  qcLimitsOf,
  type DeviceQcLimits,
  type StoredMemory,
} from '#libs/quality-control';
import { CLOCK_LEDGER, type ClockDay, type TimePolicy, type Uplink } from '#libs/telemetry';
import type { IngestOptions } from './ingest-options.js';

/** A device in one batch: what is known of it, and what its messages change. */
export interface BatchDevice {
  readonly id: string;
  /** Undefined when it is not registered any more. */
  readonly registered: Device | undefined;
  readonly limits: DeviceQcLimits;
  readonly timePolicy: TimePolicy;
  readonly memory: DeviceMemory;
  /** Set when there is something new to remember. */
  hasChanged: boolean;
}

/** What follows from registry and configuration for a device, kept from batch to batch. */
type Known = Pick<BatchDevice, 'registered' | 'limits' | 'timePolicy'>;

/** What is known of the devices while the registry stays as it is. */
export class KnownDevices {
  readonly #limits = new Map<string, DeviceQcLimits>();
  #revision: string | undefined;
  #known = new Map<string, Known>();

  constructor(private readonly options: Pick<IngestOptions, 'registry' | 'qcLimits' | 'timePolicy'>) {}

  /** What is known from now on: a batch takes it at its start, and sees a change of the registry from the next one on. */
  async current(): Promise<Map<string, Known>> {
    const revision = await this.options.registry.revision();
    if (revision !== this.#revision) this.#known = new Map();
    this.#revision = revision;
    return this.#known;
  }

  /** What the registry says of a device now. */
  async look(id: string): Promise<Known> {
    const { registry, timePolicy } = this.options;
    const registered = await registry.device(id);
    const maxAgeMs = registered?.maxAgeMs;
    return {
      registered,
      limits: this.#limitsOf(id),
      timePolicy: maxAgeMs === undefined ? timePolicy : { ...timePolicy, maxAgeMs },
    };
  }

  #limitsOf(id: string): DeviceQcLimits {
    let limits = this.#limits.get(id);
    if (limits === undefined) this.#limits.set(id, (limits = qcLimitsOf(id, this.options.qcLimits)));
    return limits;
  }
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
    private readonly known: Map<string, Known>,
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
    memory.clock = await this.state.get<ClockDay>(CLOCK_LEDGER, `${id}/${day}`);
    device.hasChanged = true;
  }

  /** Hands over what is to be remembered. */
  remember(): void {
    for (const device of this.#devices.values())
      if (device.hasChanged) this.state.put(DEVICE_MEMORY, device.id, device.memory.stored());
  }

  async #add(ids: readonly string[]): Promise<void> {
    const memories = await this.state.getMany<StoredMemory>(DEVICE_MEMORY, ids);
    for (const [i, id] of ids.entries()) {
      let known = this.known.get(id);
      if (known === undefined) this.known.set(id, (known = await this.directory.look(id)));
      const { registered, limits, timePolicy } = known;
      const memory = new DeviceMemory(memories[i]);
      this.#devices.set(id, { id, registered, limits, timePolicy, memory, hasChanged: false });
    }
  }
}

/** Whether an arrival belongs to the day of the ledger of clocks that goes on. */
export function isOfTheDay({ memory }: BatchDevice, receivedAt: UtcMillis): boolean {
  const { clock, dayFrom } = memory;
  return clock !== undefined && receivedAt >= dayFrom && receivedAt < dayFrom + DAY;
}
