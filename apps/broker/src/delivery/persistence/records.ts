import type { UtcMillis } from '#libs/kernel';
import type { Qos, StoredPacket } from './stored-packet.js';
import type { StoredSubscription } from './kept-subscriptions.js';

export interface SessionRecord {
  readonly client: string;
  readonly subscriptions: readonly StoredSubscription[];
  /** Device or account that the session belongs to; nobody else may continue it. */
  readonly owner?: string;
  /** When it was last connected; a session that is away for too long is forgotten. */
  readonly seenAt: UtcMillis;
}

/** A place as it is stored. */
export interface PlaceRecord {
  readonly client: string;
  readonly message: string;
  readonly topic: string;
  readonly bytes: number;
  readonly qos: Qos;
  readonly retain?: boolean;
  readonly messageId?: number;
  readonly released?: boolean;
}
/** As earlier versions stored it, each place with its own copy. */
export interface CopyRecord {
  readonly client: string;
  readonly packet: StoredPacket;
}

export type RetainedRecord = StoredPacket & {
  /** Device or account that it counts for. */
  readonly owner?: string;
};

export interface IdentifierRecord {
  readonly client: string;
  readonly owner?: string;
  /** Of the message as a rule the identifier alone: whoever has to have it has it already. */
  readonly packet: Partial<StoredPacket>;
}
