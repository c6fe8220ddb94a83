import { DAY, HOUR, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { hourOfDay, namedRandom, normal, type AirSample } from '#simulators/air';
import { during, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import { JITTER, type SimulatedMessage } from './message.js';
import { measure, SENSOR_MODELS } from './sensor-model.js';

export interface GardenProbeOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly intervalMs: Millis;
  readonly utcOffset: Millis;
  readonly faults: readonly SupplyFault[];
  readonly showers: readonly TimeSpan[];
  readonly airAt: (at: UtcMillis) => AirSample;
}

/** Loam: volumetric water, %, that it holds against gravity, and below which plants wilt. */
const FIELD_CAPACITY = 36;
const WILTING_POINT = 14;
const PORE_SPACE = 46;
/** Depth that roots reach, mm. */
const ROOT_ZONE_MM = 300;
/** What plants and sun take on a day without want of water; mm. */
const EVAPOTRANSPIRATION_MM = 4.5;
const RAIN_MM_PER_HOUR = 12;
/** Water above field capacity is gone by 1/e after this time. */
const DRAINAGE: Millis = 12 * HOUR;
/** Below it the gardener waters at 06:30 local time; mm. */
const WATERED_BELOW = 26;
const WATERED_MM = 9;
const WATERING_HOUR = 6.5;
/** Of a capacitive probe, % of volume. */
const NOISE = 0.8;

/**
 * A soil probe in a garden of the programme: `soil_moisture` (volumetric water, %) from a bucket model with rain, watering,
 * evapotranspiration and drainage, and temperature and humidity of the air beside it. The same options give the same bytes.
 */
export function* gardenProbeMessages(options: GardenProbeOptions): Generator<SimulatedMessage> {
  const { id, seed, intervalMs, utcOffset, from, to, faults, showers, airAt } = options;
  const random = namedRandom(seed, `garden/${id}`);
  const link = new Link(faults);
  let water = 22 + 10 * random();
  let [before, seq] = [from, 0];
  for (let due = from; due < to; due += intervalMs) {
    const at = Math.round(due + random() * JITTER * intervalMs);
    const noise = NOISE * normal(random);
    water = after(water, { from: before, to: at }, showers, utcOffset);
    before = at;
    const air = airAt(at);
    const { temperature, humidity } = measure(SENSOR_MODELS['low-cost'], air, random);
    if (during(faults, at).some(({ kind }) => kind === 'power')) {
      seq = 0;
      continue;
    }
    const soil_moisture = Math.round(10 * Math.max(0, water + noise)) / 10;
    yield {
      ...{ at, deliverAt: link.deliver(at), statedAt: at, kind: 'telemetry', isRepeat: false, faults: {} },
      payload: JSON.stringify({
        ts: new Date(at).toISOString(),
        seq: seq++,
        values: { soil_moisture, temperature, humidity },
      }),
      truth: {
        ...{ soil_moisture: rounded(water), temperature: rounded(air.temperature) },
        humidity: rounded(air.humidity),
      },
    };
  }
}

/** The water after a short time. */
function after(
  water: number,
  { from, to }: TimeSpan,
  showers: readonly TimeSpan[],
  utcOffset: Millis,
): number {
  const wet = showers.reduce(
    (sum, shower) => sum + Math.max(0, Math.min(to, shower.to) - Math.max(from, shower.from)),
    0,
  );
  const hour = hourOfDay(to, utcOffset);
  const sun = Math.PI * Math.max(0, Math.sin((Math.PI * (hour - 6)) / 12));
  const want = Math.min(1, Math.max(0, (water - WILTING_POINT) / (FIELD_CAPACITY - WILTING_POINT)));
  const dried = wet > 0 ? 0 : (EVAPOTRANSPIRATION_MM * sun * want * (to - from)) / DAY;
  const isWatered =
    water < WATERED_BELOW && hour >= WATERING_HOUR && hourOfDay(from, utcOffset) < WATERING_HOUR;
  const gained = (RAIN_MM_PER_HOUR * wet) / HOUR + (isWatered ? WATERED_MM : 0) - dried;
  const filled = Math.min(PORE_SPACE, water + (100 * gained) / ROOT_ZONE_MM);
  const above = Math.max(0, filled - FIELD_CAPACITY);
  return filled - above * (1 - Math.exp(-(to - from) / DRAINAGE));
}

function rounded(value: number): number {
  return Math.round(1_000 * value) / 1_000;
}
