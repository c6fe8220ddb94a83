import type { UtcMillis } from '#libs/kernel';
import { defineNamespace } from '#libs/state';
import { z } from 'zod';

/** Who runs a shard of a stage. */
export interface Claim {
  readonly host: string;
  readonly pid: number;
  /** Start of the process as the system tells it, so that another one with its number is not taken for it; empty elsewhere. */
  readonly started: string;
  readonly at: UtcMillis;
  /** It ended in order. */
  readonly released?: true;
}

export const CLAIMS = defineNamespace<Claim>({
  name: 'claims',
  owner: 'pantau',
  key: 'stage/shard/generation',
  value: 'Claim',
  description: 'Which process runs a shard of a stage; the newest generation counts.',
  bound: { rowsFor: 'each stage and shard' },
  shape: z.object({
    ...{ host: z.string(), pid: z.number(), started: z.string(), at: z.number().min(-8.64e15).max(8.64e15) },
    released: z.literal(true).optional(),
  }),
});

/** Where a demonstration stands. */
export interface DemoProgress {
  /** How much later than recorded it is played, in whole days. */
  readonly shiftMs: number;
  /** Everything due by then was acknowledged. */
  readonly until: UtcMillis;
}

export const DEMO = defineNamespace<DemoProgress>({
  name: 'pantau/demo',
  owner: 'pantau',
  key: '`standing`',
  value: 'DemoProgress',
  description: 'How far the demonstration has come.',
  bound: { rowsFor: 'the installation' },
  shape: z.object({ shiftMs: z.number(), until: z.number() }),
});
