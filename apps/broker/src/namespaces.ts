import { defineNamespace } from '#libs/state';
import type { UtcMillis } from '#libs/kernel';
import type {
  CopyRecord,
  IdentifierRecord,
  PlaceRecord,
  RetainedRecord,
  SessionRecord,
} from './delivery/persistence/records.js';
import type { StoredPacket } from './delivery/persistence/stored-packet.js';

export const SESSIONS = defineNamespace<SessionRecord>({
  name: 'mqtt/sessions',
  owner: 'broker',
  key: 'client',
  value: 'SessionRecord',
  description: 'A kept session: its subscriptions, and whose it is.',
});

export const MESSAGES = defineNamespace<StoredPacket>({
  name: 'mqtt/messages',
  owner: 'broker',
  key: 'number',
  value: 'StoredPacket',
  description: 'A message that waits in one queue or several.',
});

export const PLACES = defineNamespace<PlaceRecord | CopyRecord>({
  name: 'mqtt/outgoing',
  owner: 'broker',
  key: 'client/number',
  value: 'PlaceRecord | CopyRecord',
  description: 'The place of a message in the queue of a client.',
});

export const RETAINED = defineNamespace<RetainedRecord>({
  name: 'mqtt/retained',
  owner: 'broker',
  key: 'topic',
  value: 'RetainedRecord',
  description: 'The retained message of a topic.',
});

export const INCOMING = defineNamespace<IdentifierRecord>({
  name: 'mqtt/incoming',
  owner: 'broker',
  key: 'client/packet identifier',
  value: 'IdentifierRecord',
  description: 'A QoS 2 message between PUBREC and PUBREL.',
});

export const SET_ASIDE_ENTRIES = defineNamespace<UtcMillis>({
  name: 'mqtt/set-aside-entries',
  owner: 'broker',
  key: 'stream/shard/offset',
  value: 'UtcMillis',
  description:
    'When an entry that the broker passes over was told of: what is read at every start is told once.',
});
