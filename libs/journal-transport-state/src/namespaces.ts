import { z } from 'zod';
import { defineNamespace } from '#libs/state';
import type { Counted, CountedOfDay, PassedOver } from './account.js';

/**
 * Rows of one kind by two keys: {@link Counted}, and {@link PassedOver}. One namespace, so that one look at it is one moment: what a
 * stage counted never differs from what it appended by then.
 */
export const ACCOUNT = defineNamespace<Counted | PassedOver>({
  name: 'account',
  owner: 'journal-transport',
  key: 'counted or passed-over/stage/stream/shard',
  value: 'Counted | PassedOver',
  description: 'What a stage counted on a shard of a stream; what its cursor passed without its handler.',
  bound: { rowsFor: 'each stage, stream and shard' },
  shape: z.union([
    z.object({ next: z.number(), counts: z.record(z.string(), z.number()) }),
    z.object({ setAside: z.number(), lost: z.number() }),
  ]),
  published: { query: 'AccountQueries', readers: ['gateway'] },
});

/** Beside {@link ACCOUNT}, because a look at that shall cost the same however many days there were. */
export const ACCOUNT_DAYS = defineNamespace<CountedOfDay>({
  name: 'account/days',
  owner: 'journal-transport',
  key: 'day/stage/stream/shard',
  value: 'CountedOfDay',
  description: 'What a stage counted on a shard of a stream of what arrived on a day.',
  bound: { until: '400 days have passed' },
  shape: z.object({ next: z.number(), counts: z.record(z.string(), z.number()) }),
  published: { query: 'AccountQueries', readers: ['gateway'] },
});
