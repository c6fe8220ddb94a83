import type { Beat } from '#libs/alerting';
import type { Journal } from '#libs/journal';
import type { BatchContext } from '#libs/journal-transport';
import type { Liveness } from '#libs/telemetry';
import { BEATS } from './namespaces.js';

const STAGE_OF_UPLINK = 'ingest';

/**
 * Tells when time has passed for a shard: a beat counts once everything that had arrived before it was judged, so that no device is
 * called silent whose message is still on its way. It waits for all shards of `uplink`, because a device may be reached through another
 * one that is in another shard. It is kept, and no handler waits for it.
 */
export class PassedTime {
  constructor(private readonly journal: Pick<Journal, 'extent' | 'position' | 'shards'>) {}

  /** Takes the beats of a batch. @returns the newest that counts from now on */
  async after(batch: readonly Liveness[], { origin, state }: BatchContext): Promise<Beat | undefined> {
    const { stage, shard } = origin;
    const key = String(shard);
    const newest = batch.findLast(({ time }) => time !== undefined);
    let { arriving, judging } = (await state.get(BEATS, key)) ?? {};
    let passed: Beat | undefined;
    const goOn = async (): Promise<void> => {
      if (
        judging !== undefined &&
        (await this.journal.position(stage, 'readings', shard)) >= judging.readings
      ) {
        passed = { ts: judging.ts, heardSince: judging.heardSince };
        judging = undefined;
      }
      if (judging === undefined && arriving !== undefined && (await this.#isRead(arriving.uplinks))) {
        const { ts, heardSince } = arriving;
        judging = { ts, heardSince, readings: (await this.journal.extent('readings', shard)).next };
        arriving = undefined;
        await goOn();
      }
    };
    await goOn();
    if (arriving === undefined && newest?.time !== undefined) {
      arriving = { ts: newest.at, ...newest.time };
      await goOn();
    }
    state.put(BEATS, key, { ...(arriving && { arriving }), ...(judging && { judging }) });
    return passed;
  }

  async #isRead(uplinks: readonly number[]): Promise<boolean> {
    for (const [shard, end] of uplinks.entries())
      if ((await this.journal.position(STAGE_OF_UPLINK, 'uplink', shard)) < end) return false;
    return true;
  }
}
