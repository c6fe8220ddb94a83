import { MINUTE, type Millis, type TimeSpan } from '#libs/kernel';
import { hourOfDay, namedRandom, normal } from '#simulators/air';
import { during, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import type { SimulatedMessage } from './message.js';

export interface WeighbridgeOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  /** Mean time between two lorries while the landfill is open. */
  readonly intervalMs: Millis;
  readonly utcOffset: Millis;
  readonly faults: readonly SupplyFault[];
}

/** The landfill is open from 06:00 to 17:00 local time. */
const OPENS = 6;
const CLOSES = 17;
const LORRIES = 24;
/** The scale's division, kg. */
export const SCALE_STEP_KG = 20;

/**
 * What the weighbridge of a landfill says: an event `weighing` for each lorry, with gross, tare and net mass in kg, rounded to the
 * scale's division. Lorries come as a Poisson process while it is open. The same options give the same bytes.
 */
export function* weighbridgeMessages(options: WeighbridgeOptions): Generator<SimulatedMessage> {
  const { id, seed, intervalMs, utcOffset, from, to, faults } = options;
  const random = namedRandom(seed, `weighbridge/${id}`);
  const tares = Array.from({ length: LORRIES }, () => 2_600 + 5_200 * random());
  const link = new Link(faults);
  let seq = 0;
  for (let at = from; ;) {
    at += Math.max(MINUTE, Math.round(-intervalMs * Math.log(1 - random())));
    const [lorry, load] = [Math.floor(random() * LORRIES), 3_200 * Math.exp(0.35 * normal(random))];
    if (at >= to) return;
    const hour = hourOfDay(at, utcOffset);
    if (hour < OPENS || hour >= CLOSES || during(faults, at).some(({ kind }) => kind === 'power')) continue;
    const tare = tares[lorry] ?? 0;
    const [gross_kg, tare_kg] = [inSteps(tare + load), inSteps(tare)];
    yield {
      ...{ at, deliverAt: link.deliver(at), statedAt: at, kind: 'event', isRepeat: false, faults: {} },
      payload: JSON.stringify({
        ts: new Date(at).toISOString(),
        seq: seq++,
        name: 'weighing',
        data: { lorry: `T-${lorry + 1}`, gross_kg, tare_kg, net_kg: gross_kg - tare_kg },
      }),
      truth: { net_kg: Math.round(10 * load) / 10 },
    };
  }
}

function inSteps(kilograms: number): number {
  return SCALE_STEP_KG * Math.round(kilograms / SCALE_STEP_KG);
}
