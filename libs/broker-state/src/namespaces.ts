import { z } from 'zod';
import { defineNamespace } from '#libs/state';
import type { SetAsideTopic } from '#libs/telemetry';

export const SET_ASIDE_TOPICS = defineNamespace<SetAsideTopic>({
  name: 'mqtt/set-aside',
  owner: 'broker',
  key: 'sender/digest of the topic',
  value: 'SetAsideTopic',
  description:
    'What a device or an account published on a topic that is not its own: the number, the times, a sample.',
  bound: { rowsFor: 'each sender and topic; so many topics of a sender at most' },
  shape: z.object({
    reason: z.string(),
    sender: z.string(),
    firstAt: z.number(),
    lastAt: z.number(),
    sample: z.instanceof(Uint8Array),
  }),
  published: { query: 'BrokerQueries', readers: ['gateway'] },
});
