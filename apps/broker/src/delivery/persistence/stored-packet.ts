import { defined } from '#libs/kernel';
import type { StateWrite } from '#libs/state';
import { createHash } from 'node:crypto';

export type Qos = 0 | 1 | 2;

/** The members of Aedes' packets that outlive a connection. */
export interface StoredPacket {
  cmd: string;
  brokerId?: string;
  brokerCounter?: number;
  topic: string;
  /** A PUBREL has none. */
  payload?: Buffer;
  qos: Qos;
  retain: boolean;
  dup: boolean;
  messageId?: number | undefined;
  clientId?: string;
}

/**
 * A change of what is kept: first written, then made visible, so that nobody reads or acknowledges what a crash would
 * take back.
 */
export interface Plan {
  readonly writes: readonly StateWrite[];
  /** Called once the writes are durable. */
  commit(): void;
  /** Called when they could not be written. */
  rollback?(): unknown;
}

/** A name as a key: short ones as they are, to be found by eye; long ones by their hash. */
export function keyOf(name: string): string {
  return Buffer.byteLength(name) <= 300 && !name.startsWith('sha256:')
    ? name
    : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/** What a message takes of a bound: payload, topic, and what is kept beside them in memory and on disk. */
export function sizeOf({ topic, payload }: Pick<StoredPacket, 'topic' | 'payload'>): number {
  return topic.length + (payload?.length ?? 0) + OVERHEAD_BYTES;
}
const OVERHEAD_BYTES = 512;

/** Only what is stored: Aedes hangs callbacks on its packets. */
export function plain(packet: StoredPacket): StoredPacket {
  const { cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup, messageId } = packet;
  return defined({
    cmd,
    brokerId,
    brokerCounter,
    topic,
    payload,
    qos,
    retain,
    dup,
    messageId,
  }) as StoredPacket;
}

/** A packet for a queue: without the identifier that it has with its sender. */
export function unsent(original: StoredPacket): StoredPacket {
  const { cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup } =
    original as Partial<StoredPacket>;
  const packet = { cmd, topic, qos, retain: false, dup: false, messageId: undefined } as StoredPacket;
  return Object.assign(packet, defined({ brokerId, brokerCounter, payload, retain, dup }));
}

/** The store's buffers belong to the store. */
export function copy(packet: StoredPacket): StoredPacket {
  return Object.assign(unsent(packet), {
    ...(Buffer.isBuffer(packet.payload) ? { payload: Buffer.from(packet.payload) } : {}),
    messageId: packet.messageId,
  });
}
