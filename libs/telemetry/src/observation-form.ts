import type { UtcMillis } from '#libs/kernel';
import { PARAMETER_CODES, type Parameter } from './parameters.js';
import type { Observation, QualityFlag, Reading } from './streams.js';

/** Where the readings begin, and how many places each has: parameter, value, flag, failed with the doubt as an object behind. */
const READINGS = 9;
const PLACES = 4;

/** An {@link Observation} as a list: what is absent is null, a parameter is its place in {@link PARAMETER_CODES}. */
type StoredObservation = readonly [
  site: string,
  device: string,
  ts: UtcMillis,
  receivedAt: UtcMillis,
  clock: 'none' | 'wrong' | null,
  amendment: true | null,
  seq: number | null,
  shard: number,
  offset: number,
  ...readings: unknown[],
];

type StoredFailed = readonly (string | { readonly doubt: string })[];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How the stream `readings` is stored. */
export const OBSERVATION_FORM = {
  /** @throws TypeError for an unknown parameter */
  pack(observation: Observation): readonly unknown[] {
    const { site, device, ts, receivedAt, clock, amendment, seq, uplink, readings } = observation;
    const { shard, offset } = uplink;
    const stored: unknown[] = [site, device, ts, receivedAt];
    stored.push(clock ?? null, amendment ?? null, seq ?? null, shard, offset);
    for (const { parameter, value, flag, failed, doubt } of readings)
      stored.push(
        placeOf(parameter),
        value,
        flag,
        doubt === undefined ? (failed ?? null) : [...(failed ?? []), { doubt }],
      );
    return stored;
  },

  /** @throws RangeError for a parameter that only a later version knows */
  unpack(stored: readonly unknown[]): Observation {
    const [site, device, ts, receivedAt, clock, amendment, seq, shard, offset] = stored as StoredObservation;
    const readings: Reading[] = [];
    for (let at = READINGS; at < stored.length; at += PLACES) {
      const parameter = parameterAt(stored[at] as number);
      const value = stored[at + 1] as number;
      const flag = stored[at + 2] as QualityFlag;
      const failed = stored[at + 3] as StoredFailed | null;
      readings.push(
        failed === null ? { parameter, value, flag } : { parameter, value, flag, ...judgementOf(failed) },
      );
    }
    const uplink = { shard, offset };
    const observation: Writable<Observation> = { site, device, ts, receivedAt, uplink, readings };
    if (clock !== null) observation.clock = clock;
    if (amendment !== null) observation.amendment = amendment;
    if (seq !== null) observation.seq = seq;
    return observation;
  },
};

function judgementOf(stored: StoredFailed): Pick<Reading, 'failed' | 'doubt'> {
  const last = stored.at(-1);
  if (typeof last !== 'object') return { failed: stored as readonly string[] };
  const failed = stored.slice(0, -1) as readonly string[];
  return failed.length === 0 ? last : { failed, ...last };
}

function placeOf(parameter: Parameter): number {
  const place = PARAMETER_CODES.indexOf(parameter);
  if (place === -1) throw new TypeError(`unknown parameter ${parameter}`);
  return place;
}

function parameterAt(place: number): Parameter {
  const parameter = PARAMETER_CODES[place];
  if (parameter === undefined) throw new RangeError(`no parameter has place ${place}`);
  return parameter;
}
