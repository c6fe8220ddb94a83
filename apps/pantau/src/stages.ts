import type { Journal } from '#libs/journal';
import { lagOf } from '#libs/journal-transport';
import { setTimeout as delay } from 'node:timers/promises';

/** Which stage reads which streams. Upstream stages first: that is the order in which they catch up. */
export const STAGES = {
  ingest: ['uplink'],
  writer: ['readings'],
  alerts: ['readings'],
  evidence: ['readings', 'signals', 'liveness', 'neighbourhoods'],
  // Apart from the writer, so that trouble with the roll-ups does not hold up the readings.
  tiers: ['rollups'],
  gateway: ['alerts', 'readings', 'signals', 'rejected', 'liveness', 'commands', 'configurations'],
} as const;

const POLL_MS = 25;

/** Resolves when every stage has read all there is, or when the signal aborts. The stages may run in another process. */
export async function caughtUp(journal: Journal, signal?: AbortSignal): Promise<void> {
  for (const [stage, streams] of Object.entries(STAGES)) {
    for (const stream of streams) {
      while (signal?.aborted !== true && (await lagOf(journal, stage, stream)) > 0) await delay(POLL_MS);
    }
  }
}
