import { seededRandom, type Millis, type Random, type UtcMillis } from '#libs/kernel';

/**
 * The seed of a named part of a simulation. Each part draws from a source of its own, so that one more station or fault
 * leaves all the others as they were. FNV-1a over the name, mixed with the scenario's seed.
 */
export function namedSeed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** A random source for the named part. */
export function namedRandom(seed: number, name: string): Random {
  return seededRandom(namedSeed(seed, name));
}

/** A standard normal number (Box and Muller, 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A function of time. */
export type Signal = (at: UtcMillis) => number;

/** A first-order autoregressive process: how it is spread and how long it remembers. */
export interface Memory {
  /** Standard deviation of the stationary process. */
  readonly sd: number;
  /** Time after which the autocorrelation is 1/e. */
  readonly tau: Millis;
}

/**
 * A stationary first-order autoregressive process (Ornstein-Uhlenbeck sampled every `tau / 8`, linear in between), with
 * mean 0. Values are made as they are asked for and do not depend on the order of the questions.
 *
 * @param from - the process begins here; earlier instants have the first value
 */
export function memoryProcess(seed: number, name: string, { sd, tau }: Memory, from: UtcMillis): Signal {
  const random = namedRandom(seed, name);
  const step = tau / 8;
  const keep = Math.exp(-1 / 8);
  const fresh = sd * Math.sqrt(1 - keep * keep);
  const values: number[] = [sd * normal(random)];
  return (at) => {
    const place = Math.max(0, (at - from) / step);
    const index = Math.floor(place);
    while (values.length < index + 2) values.push(keep * (values.at(-1) ?? 0) + fresh * normal(random));
    const share = place - index;
    return (values[index] ?? 0) * (1 - share) + (values[index + 1] ?? 0) * share;
  };
}
