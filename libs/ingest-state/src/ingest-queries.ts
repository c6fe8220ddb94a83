import { clockDaysOf } from '#libs/quality-control';
import type { StateStore } from '#libs/state';
import type { ClockDay, DeviceSensors, UnreadMembers } from '#libs/telemetry';
import { CLOCK_LEDGER, DEVICE_MEMORY, DEVICE_SENSORS, UNREAD_MEMBERS } from './namespaces.js';

/** What ingest tells others of the devices whose messages it read. */
export interface IngestQueries {
  /** The ledger of the clock of a device, newest day first. @param limit - at most so many days @param before - only earlier ones than this */
  clockDays(device: string, limit: number, before?: string): Promise<readonly ClockDay[]>;
  /** The sensors that the messages of a device name. */
  sensors(device: string): Promise<DeviceSensors>;
  /** Members of the messages of a device that were not read. */
  unread(device: string): Promise<UnreadMembers>;
}

/** Answers from the state store. */
export class LocalIngestQueries implements IngestQueries {
  constructor(private readonly state: StateStore) {}

  async clockDays(device: string, limit: number, before?: string): Promise<readonly ClockDay[]> {
    const memory = await this.state.get(DEVICE_MEMORY, device);
    const days = await this.state.list(CLOCK_LEDGER, {
      prefix: `${device}/`,
      ...(before === undefined ? {} : { to: `${device}/${before}` }),
      reverse: true,
      limit,
    });
    return clockDaysOf(
      memory,
      days.map(({ value }) => value),
      limit,
      before,
    );
  }

  async sensors(device: string): Promise<DeviceSensors> {
    return (await this.state.get(DEVICE_SENSORS, device)) ?? { counted: {}, refused: [], more: 0 };
  }

  async unread(device: string): Promise<UnreadMembers> {
    return (await this.state.get(UNREAD_MEMBERS, device)) ?? { members: [], more: 0 };
  }
}
