import {
  DAY,
  messageOf,
  PantauError,
  SECOND,
  type Clock,
  type Millis,
  type UtcMillis,
  sortable,
} from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { CLAIMS, type Claim } from '../namespaces.js';

const RENEWED_EVERY: Millis = 10 * SECOND;
/** For a process of another host (or container), which nobody here can see: without a renewal for so long it is gone. */
const STALE_AFTER: Millis = 3 * RENEWED_EVERY;

export interface ClaimsOptions {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Claims shards of stages for this process, all or none: two processes that run one shard would disturb each other. What
 * fences them in the end is the cursor, which only one of them can move; the claim says so at the start, and to whom.
 *
 * @returns what releases them
 * @throws PantauError `SHARD_CLAIMED` that says which process has it
 */
export async function claimShards(
  stages: readonly string[],
  shards: readonly number[],
  { state, clock, logger }: ClaimsOptions,
): Promise<() => Promise<void>> {
  const own = { host: hostname(), pid: process.pid, started: startOf(process.pid) ?? '' };
  const keys: string[] = [];
  const write = (more: Pick<Claim, 'released'>): Promise<void> =>
    state.write(keys.map((key) => CLAIMS.put(key, { ...own, at: clock.now(), ...more })));
  try {
    for (const stage of stages) for (const shard of shards) keys.push(await claim(stage, shard));
  } catch (error) {
    await write({ released: true });
    throw error;
  }
  const timer = setInterval(() => {
    write({}).catch((error: unknown) => logger.warn(`claims were not renewed: ${messageOf(error)}`));
  }, RENEWED_EVERY).unref();
  return async () => {
    clearInterval(timer);
    await write({ released: true });
  };

  /** @returns the key of the claim */
  async function claim(stage: string, shard: number): Promise<string> {
    const prefix = `${stage}/${shard}/`;
    for (;;) {
      const [newest] = await state.list(CLAIMS, { prefix, reverse: true, limit: 1 });
      if (newest !== undefined && isHeld(newest.value, clock.now())) {
        const { host, pid, at } = newest.value;
        throw new PantauError(
          'SHARD_CLAIMED',
          `shard ${shard} of stage ${stage} is run by process ${pid} on ${host}, last heard of ${new Date(at).toISOString()}.`,
          { remedy: 'Stop that process, or give this one other stages or shards (--shards).' },
        );
      }
      const generation = newest === undefined ? 0 : Number(newest.key.slice(prefix.length)) + 1;
      const key = `${prefix}${sortable(generation, 10)}`;
      // Whoever else saw the same newest claim wants the same key, and one of them gets it; a claim that cannot be read is none.
      const write = CLAIMS.put(key, { ...own, at: clock.now() });
      if (!(await state.writeIf([CLAIMS.seen(key, undefined)], [write]))) continue;
      if (newest !== undefined) await state.write([CLAIMS.remove(newest.key)]);
      return key;
    }
  }
}

/** @returns those of the stages of which every shard is claimed by a process that is there */
export async function claimedStages(
  stages: readonly string[],
  shards: number,
  { state, clock }: Pick<ClaimsOptions, 'state' | 'clock'>,
): Promise<ReadonlySet<string>> {
  const held = new Map<string, Set<string>>();
  for (const { key, value } of await state.list(CLAIMS)) {
    const [stage = '', shard = ''] = key.split('/');
    if (isHeld(value, clock.now())) held.set(stage, (held.get(stage) ?? new Set()).add(shard));
  }
  return new Set(stages.filter((stage) => (held.get(stage)?.size ?? 0) >= shards));
}

/** What was not run for longer was taken out of service. */
const OUT_OF_SERVICE_AFTER: Millis = DAY;

/** Whether a stage was run within the last day, and is not run now: it was stopped, or ended by itself. */
export async function isInterrupted(
  stage: string,
  shards: number,
  { state, clock }: Pick<ClaimsOptions, 'state' | 'clock'>,
): Promise<boolean> {
  const claims = await state.list(CLAIMS, { prefix: `${stage}/` });
  const isInService = claims.some(({ value: { at } }) => clock.now() - at <= OUT_OF_SERVICE_AFTER);
  return isInService && !(await claimedStages([stage], shards, { state, clock })).has(stage);
}

function isHeld({ host, pid, started, at, released }: Claim, now: UtcMillis): boolean {
  if (released === true) return false;
  if (host !== hostname()) return now - at <= STALE_AFTER;
  return startOf(pid) === started;
}

/** When a process of this host started, in the system's own count; empty where that cannot be known, undefined when it is gone. */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  if (process.platform !== 'linux') return '';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold spaces; the start is the 22nd field (proc(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return undefined;
  }
}
