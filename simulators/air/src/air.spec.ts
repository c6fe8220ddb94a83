import { DAY, HOUR } from '#libs/kernel';
import { Air, type AirOptions } from './air.js';
import { CLIMATES } from './climate.js';
import { memoryProcess } from './processes.js';

const from = Date.parse('2023-09-30T17:00:00Z');
const site = { id: 'a', urban: 0.5, latitude: -2.9, longitude: 104.7 };
function air(options: Partial<AirOptions> = {}): Air {
  return new Air({
    seed: 7,
    from,
    to: from + 7 * DAY,
    climate: CLIMATES['sumatra-dry'],
    utcOffset: 7 * HOUR,
    episodes: [],
    sources: [],
    ...options,
  });
}
const hours = Array.from({ length: 7 * 24 }, (_, i) => from + i * HOUR);

describe('a process with memory', () => {
  it('gives the same values in whatever order they are asked for', () => {
    const ask = (instants: readonly number[]): Map<number, number> => {
      const process = memoryProcess(1, 'x', { sd: 1, tau: HOUR }, from);
      return new Map(instants.map((at) => [at, process(at)]));
    };
    const forwards = ask(hours);
    for (const [at, value] of ask([...hours].reverse())) expect(forwards.get(at)).toBe(value);
  });

  it('has the spread that it was given', () => {
    const process = memoryProcess(3, 'x', { sd: 2, tau: HOUR }, 0);
    const values = Array.from({ length: 20_000 }, (_, i) => process((i * HOUR) / 8));
    expect(Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)).toBeCloseTo(2, 0);
  });
});

describe('the air', () => {
  it('is the same for the same options, and another for another seed', () => {
    expect(hours.map((at) => air().at(site, at))).toEqual(hours.map((at) => air().at(site, at)));
    expect(air({ seed: 8 }).at(site, from + DAY).pm25).not.toBe(air().at(site, from + DAY).pm25);
  });

  it('has its fine particles among the coarse ones, and no negative concentration', () => {
    const smoke = [{ from: from + DAY, to: from + 4 * DAY, pm25: 400 }];
    for (const at of hours) {
      const sample = air({ episodes: smoke }).at(site, at);
      expect(sample.pm10).toBeGreaterThan(sample.pm25);
      for (const value of Object.values(sample)) expect(value).toBeGreaterThan(0);
    }
  });

  it('brings carbon monoxide with the smoke of an episode, and is as before when it is over', () => {
    const [clear, hazy] = [air(), air({ episodes: [{ from: from + DAY, to: from + 4 * DAY, pm25: 400 }] })];
    const height = from + 2.5 * DAY;
    const [without, during] = [clear.at(site, height), hazy.at(site, height)];
    expect(during.pm25).toBeGreaterThan(without.pm25 + 200);
    expect(during.co).toBeGreaterThan(without.co + 2_000);
    expect(hazy.at(site, from + 5 * DAY)).toEqual(clear.at(site, from + 5 * DAY));
  });

  it('is washed by rain', () => {
    const wet = air({ climate: CLIMATES['sumatra-wet'] });
    const [shower] = wet.weather.showers;
    expect(shower).toBeDefined();
    expect(wet.weather.washout(shower!.to)).toBeLessThan(wet.weather.washout(shower!.from));
    expect(wet.weather.humidity(shower!.from)).toBe(99);
  });

  it('carries a plume to the station downwind, later to the one farther away, and not to the one upwind', () => {
    // The wind comes from the south-east and does not veer.
    const climate = { ...CLIMATES['sumatra-dry'], wind: { speed: 2, from: 135, veer: 0 } };
    const fire = { latitude: -3, longitude: 105, from: from + DAY, to: from + 3 * DAY, pm25: 3_000 };
    const place = (id: string, degrees: number): typeof site => ({
      id,
      urban: 0.5,
      latitude: fire.latitude + degrees,
      longitude: fire.longitude - degrees / Math.cos((3 * Math.PI) / 180),
    });
    const [smoky, clear] = [air({ climate, sources: [fire] }), air({ climate })];
    const excess = (at: typeof site, instant: number): number =>
      smoky.at(at, instant).pm25 - clear.at(at, instant).pm25;
    const firstSeen = (at: typeof site): number =>
      Array.from({ length: 7 * 144 }, (_, i) => from + i * 10 * 60_000).find((t) => excess(at, t) > 5) ??
      Infinity;
    const [near, far, upwind] = [place('near', 0.03), place('far', 0.12), place('upwind', -0.03)];
    expect(firstSeen(near)).toBeGreaterThanOrEqual(fire.from);
    expect(firstSeen(far)).toBeGreaterThan(firstSeen(near));
    expect(firstSeen(far)).toBeLessThan(Infinity);
    expect(firstSeen(upwind)).toBe(Infinity);
  });
});
