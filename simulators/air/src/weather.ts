import { DAY, HOUR, MINUTE, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { Climate } from './climate.js';
import { memoryProcess, namedRandom, type Signal } from './processes.js';

/** The weather over the whole regency. */
export interface Weather {
  /** °C */
  readonly temperature: Signal;
  /** % */
  readonly humidity: Signal;
  /** m/s */
  readonly windSpeed: Signal;
  /** Degrees from which the wind comes. */
  readonly windFrom: Signal;
  /** The share of particles that rain has left in the air. */
  readonly washout: Signal;
  readonly showers: readonly TimeSpan[];
}

/** Particles are back as they were so long after a shower. */
const RECOVERY: Millis = 4 * HOUR;

/**
 * The hour of the day in local solar time, 0 to 24. The regency lies at 105 degrees east, which is exactly WIB; the recorded
 * stations at 116 degrees, which is their zone within a quarter of an hour.
 *
 * @param utcOffset - of the place
 */
export function hourOfDay(at: UtcMillis, utcOffset: Millis): number {
  return ((((at + utcOffset) % DAY) + DAY) % DAY) / HOUR;
}

export function weatherOf(seed: number, climate: Climate, span: TimeSpan, utcOffset: Millis): Weather {
  const { temperature, humidity, wind, rain } = climate;
  const warmth = memoryProcess(seed, 'weather/temperature', temperature.weather, span.from);
  const damp = memoryProcess(seed, 'weather/humidity', { sd: 4, tau: 12 * HOUR }, span.from);
  const gusts = memoryProcess(seed, 'weather/wind-speed', { sd: 0.4, tau: 5 * HOUR }, span.from);
  const veering = memoryProcess(seed, 'weather/wind-from', { sd: wind.veer, tau: 9 * HOUR }, span.from);
  const showers = showersIn(seed, rain, span, utcOffset);
  // Warmest at 15:00, coolest before sunrise.
  const swing = (at: UtcMillis): number => Math.cos((2 * Math.PI * (hourOfDay(at, utcOffset) - 15)) / 24);
  const raining = (at: UtcMillis): boolean => showers.some(({ from, to }) => at >= from && at < to);
  return {
    temperature: (at) =>
      temperature.mean + temperature.swing * swing(at) + warmth(at) - (raining(at) ? 3 : 0),
    humidity: (at) =>
      raining(at) ? 99 : Math.min(99, Math.max(15, humidity.mean - humidity.swing * swing(at) + damp(at))),
    windSpeed: (at) => wind.speed * Math.exp(gusts(at)) * (1 + 0.35 * swing(at)),
    windFrom: (at) => (wind.from + veering(at) + 720) % 360,
    washout: (at) => showers.reduce((share, shower) => share * left(shower, rain.leaves, at), 1),
    showers,
  };
}

/** What a shower leaves of the particles at an instant. */
function left({ from, to }: TimeSpan, leaves: number, at: UtcMillis): number {
  if (at < from) return 1;
  const washed = leaves ** ((Math.min(at, to) - from) / HOUR);
  return at < to ? washed : 1 - (1 - washed) * Math.exp(-(at - to) / RECOVERY);
}

/** Showers come as a Poisson process, most of them between 13:00 and 19:00. */
function showersIn(
  seed: number,
  { perDay, length }: Climate['rain'],
  span: TimeSpan,
  utcOffset: Millis,
): TimeSpan[] {
  const random = namedRandom(seed, 'weather/rain');
  const showers: TimeSpan[] = [];
  const step = 10 * MINUTE;
  for (let at = span.from; at < span.to; at += step) {
    const hour = hourOfDay(at, utcOffset);
    const weight = hour >= 13 && hour < 19 ? 2.8 : 0.4;
    const [starts, lasts] = [random(), random()];
    if (starts < (perDay * weight * step) / DAY)
      showers.push({ from: at, to: at + Math.round(length * (0.3 - Math.log(1 - lasts))) });
  }
  return showers;
}
