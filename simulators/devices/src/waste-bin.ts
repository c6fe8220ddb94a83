import { DAY, HOUR, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { hourOfDay, namedRandom, normal } from '#simulators/air';
import { during, type ProgrammeFault, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import { JITTER, type SimulatedMessage } from './message.js';

export interface WasteBinOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly intervalMs: Millis;
  readonly utcOffset: Millis;
  readonly faults: readonly (ProgrammeFault | SupplyFault)[];
}

/** Share of the bin that an ordinary day fills. */
const PER_DAY = 0.75;
/** From the sensor under the lid to the floor, cm. */
const DEPTH_CM = 110;
/** Of the ultrasonic distance to loose waste, cm. */
const NOISE_CM = 1.5;
/** The lorry comes about 05:00 local time, within this time before or after. */
const COLLECTION_HOUR = 5;
const COLLECTION_SPREAD: Millis = 0.7 * HOUR;
/** What sticks to the floor. */
const LEFT_OVER = 0.04;

/**
 * The level of a waste bin, % of its depth (`fill_level`), as an ultrasonic sensor under the lid states it. It fills with the day of a
 * market, is emptied in the morning, and stays full when the lorry does not come (`uncollected`). The same options give the same bytes.
 */
export function* wasteBinMessages(options: WasteBinOptions): Generator<SimulatedMessage> {
  const { id, seed, intervalMs, utcOffset, from, to, faults } = options;
  const random = namedRandom(seed, `bin/${id}`);
  const days = namedRandom(seed, `bin/${id}/days`);
  const link = new Link(faults);
  let level = LEFT_OVER + 0.5 * random();
  let [date, busy, collectedAt] = [-1, 1, 0];
  let [before, seq] = [from, 0];
  for (let due = from; due < to; due += intervalMs) {
    const at = Math.round(due + random() * JITTER * intervalMs);
    const noise = NOISE_CM * normal(random);
    const today = Math.floor((at + utcOffset) / DAY);
    if (today !== date) {
      date = today;
      busy = Math.exp(0.25 * normal(days));
      collectedAt = today * DAY - utcOffset + COLLECTION_HOUR * HOUR + (2 * days() - 1) * COLLECTION_SPREAD;
    }
    level = Math.min(1, level + (PER_DAY * busy * bustle(at, utcOffset) * (at - before)) / DAY);
    const isMissed = during(faults, collectedAt).some(({ kind }) => kind === 'uncollected');
    if (before < collectedAt && at >= collectedAt && !isMissed) level = LEFT_OVER;
    before = at;
    if (during(faults, at).some(({ kind }) => kind === 'power')) {
      seq = 0;
      continue;
    }
    const distance = DEPTH_CM * (1 - level) + noise;
    const stated = Math.min(100, Math.max(0, Math.round(100 * (1 - distance / DEPTH_CM))));
    yield {
      ...{ at, deliverAt: link.deliver(at), statedAt: at, kind: 'telemetry', isRepeat: false, faults: {} },
      payload: JSON.stringify({ ts: new Date(at).toISOString(), seq: seq++, values: { fill_level: stated } }),
      truth: { fill_level: Math.round(10_000 * level) / 100 },
    };
  }
}

/** How much faster than on average of the day it fills: a market in the morning, households in the evening. The mean is about 1. */
function bustle(at: UtcMillis, utcOffset: Millis): number {
  const hour = hourOfDay(at, utcOffset);
  const peak = (middle: number, width: number): number => Math.exp(-(((hour - middle) / width) ** 2));
  return 0.25 + 2.6 * peak(9, 2.5) + 1.4 * peak(18, 2);
}
