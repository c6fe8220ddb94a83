import { defineNamespace } from '#libs/state';
import { z } from 'zod';

export const ARCHIVE_MARKS = defineNamespace<number>({
  name: 'archive/days',
  owner: 'timeseries',
  key: 'day/shard',
  value: 'number',
  description: 'How far in the journal the last reading of a calendar day stands; the writer marks it.',
  bound: { forever: 'a row a day and shard, so that a file of a day that changed is written again' },
  shape: z.number(),
});

export const ARCHIVED_DAYS = defineNamespace<string>({
  name: 'archive/archived',
  owner: 'timeseries',
  key: 'day',
  value: 'string',
  description: 'The marks of a calendar day that its file in the archive holds.',
  bound: { forever: 'a row a day, so that a file of a day that changed is written again' },
  shape: z.string(),
});
