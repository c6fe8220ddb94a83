import { defineNamespace } from '#libs/state';
import { z } from 'zod';
import type { UtcMillis } from '#libs/kernel';
import type {
  CopyRecord,
  IdentifierRecord,
  PlaceRecord,
  RetainedRecord,
  SessionRecord,
} from './delivery/persistence/records.js';
import type { StoredPacket } from './delivery/persistence/stored-packet.js';

const qos = z.union([z.literal(0), z.literal(1), z.literal(2)]);
const payload = z.union([z.instanceof(Uint8Array), z.string()]);
/** What queued packets have; a will has no command, and a PUBREL, which earlier versions queued as it is, neither topic nor QoS. */
const packet = {
  ...{ cmd: z.string().optional(), topic: z.string().optional(), payload: payload.optional() },
  ...{ qos: qos.optional(), brokerId: z.string().optional(), brokerCounter: z.number().optional() },
  messageId: z.number().optional(),
};

export const KEPT_SESSIONS = defineNamespace<SessionRecord>({
  name: 'mqtt/sessions',
  owner: 'broker',
  key: 'client',
  value: 'SessionRecord',
  description: 'A kept session: its subscriptions, and whose it is.',
  bound: { until: 'it ends or expires; mqtt.limits.bounds.sessions' },
  shape: z.object({
    ...{ client: z.string(), owner: z.string().optional(), seenAt: z.number() },
    subscriptions: z.array(z.object({ topic: z.string(), qos })),
  }),
});

export const MESSAGES = defineNamespace<StoredPacket>({
  name: 'mqtt/messages',
  owner: 'broker',
  key: 'number',
  value: 'StoredPacket',
  description: 'A message that waits in one queue or several.',
  bound: { until: 'no queue holds it; mqtt.limits.bounds.queuedBytes' },
  shape: z.object(packet),
});

export const PLACES = defineNamespace<PlaceRecord | CopyRecord>({
  name: 'mqtt/outgoing',
  owner: 'broker',
  key: 'client/number',
  value: 'PlaceRecord | CopyRecord',
  description: 'The place of a message in the queue of a client.',
  bound: { until: 'it is delivered or the session ends; mqtt.limits.bounds.queuedBytes' },
  shape: z.union([
    z.object({
      ...{
        client: z.string(),
        message: z.string(),
        topic: z.string(),
        bytes: z.number(),
        qos: qos.optional(),
      },
      ...{
        retain: z.boolean().optional(),
        messageId: z.number().optional(),
        released: z.boolean().optional(),
      },
    }),
    z.object({ client: z.string(), packet: z.object(packet) }),
  ]),
});

export const RETAINED = defineNamespace<RetainedRecord>({
  name: 'mqtt/retained',
  owner: 'broker',
  key: 'topic',
  value: 'RetainedRecord',
  description: 'The retained message of a topic.',
  bound: { until: 'it is cleared; mqtt.limits.bounds.retainedMessages' },
  shape: z.object({ ...packet, topic: z.string(), owner: z.string().optional() }),
});

export const INCOMING = defineNamespace<IdentifierRecord>({
  name: 'mqtt/incoming',
  owner: 'broker',
  key: 'client/packet identifier',
  value: 'IdentifierRecord',
  description: 'A QoS 2 message between PUBREC and PUBREL.',
  bound: { until: 'PUBREL comes, or the session ends' },
  shape: z.object({
    ...{ client: z.string(), owner: z.string().optional() },
    packet: z.object({ messageId: z.number().optional() }),
  }),
});

export const SET_ASIDE_ENTRIES = defineNamespace<UtcMillis>({
  name: 'mqtt/set-aside-entries',
  owner: 'broker',
  key: 'stream/shard/offset',
  value: 'UtcMillis',
  description:
    'When an entry that the broker passes over was told of: what is read at every start is told once.',
  bound: {
    forever:
      'an entry of the journal that cannot be read is one in very many; a second report of it would alarm anew',
  },
  shape: z.number(),
});
