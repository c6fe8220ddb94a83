import { defineNamespace } from '#libs/state';
import { z } from 'zod';

export const JOURNAL = defineNamespace<number>({
  name: 'journal',
  owner: 'engine-lmdb',
  key: '`shards`',
  value: 'number',
  description: 'Into how many shards the journal was split when it was made.',
  bound: { rowsFor: 'the journal' },
  shape: z.int().min(1).max(256),
});
