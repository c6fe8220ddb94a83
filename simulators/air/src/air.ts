import { HOUR, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import type { Climate } from './climate.js';
import { plumeAt, type Place, type PlumeSource } from './plume.js';
import { memoryProcess, type Signal } from './processes.js';
import { hourOfDay, weatherOf, type Weather } from './weather.js';

/** What is truly in the air: µg/m³, °C, %. */
export type AirSample = Readonly<Record<Exclude<MeasuredParameter, 'hc'>, number>>;

/** Smoke over the whole regency: it comes up, stays, and goes. */
export interface HazeEpisode extends TimeSpan {
  /** PM2.5 at its height, beside what is in the air anyway; µg/m³. */
  readonly pm25: number;
}

export interface AirSite extends Place {
  readonly id: string;
  /** 0 open country, 1 the middle of a town. */
  readonly urban: number;
}

export interface AirOptions extends TimeSpan {
  readonly seed: number;
  readonly climate: Climate;
  readonly utcOffset: Millis;
  readonly episodes: readonly HazeEpisode[];
  readonly sources: readonly PlumeSource[];
}

/** Peat smoke: carbon monoxide with each µg/m³ of PM2.5, µg/m³. */
const SMOKE_CO_PER_PM25 = 12;
/** Haze comes up and goes within this time, or within a quarter of the episode. */
const HAZE_RAMP: Millis = 10 * HOUR;

/**
 * The true air over a regency, a function of place and time: what the weather brings and dilutes, what traffic adds, smoke of
 * episodes and plumes, and the chemistry in which ozone stands against nitrogen dioxide. The same options give the same air.
 */
export class Air {
  readonly weather: Weather;
  readonly #options: AirOptions;
  readonly #regional: Signal;
  readonly #dust: Signal;
  readonly #sites = new Map<
    string,
    Readonly<Record<'pm25' | 'co' | 'no2' | 'so2' | 'o3' | 'dust', Signal>>
  >();

  constructor(options: AirOptions) {
    const { seed, climate, from } = options;
    this.#options = options;
    this.weather = weatherOf(seed, climate, options, options.utcOffset);
    this.#regional = memoryProcess(seed, 'air/regional', climate.regional, from);
    this.#dust = memoryProcess(seed, 'air/dust', { sd: 0.5, tau: 14 * HOUR }, from);
  }

  /** The air at a site at an instant. */
  at(site: AirSite, at: UtcMillis): AirSample {
    const { climate, utcOffset, sources } = this.#options;
    const { regional, coarse, co, no2, so2, o3 } = climate;
    const own = this.#siteProcesses(site.id);
    const hour = hourOfDay(at, utcOffset);
    const mixing = climate.mixing * nightLayer(hour);
    const weather = this.#regional(at);
    const washed = this.weather.washout(at);
    const gust = own.pm25(at);

    const smoke =
      washed * (this.#haze(at) * Math.exp(gust + mixing) + plumes(sources, site, at, this.weather));
    const pm25 =
      washed * regional.median * (0.85 + 0.3 * site.urban) * Math.exp(weather + gust + mixing) + smoke;
    const dust = washed * coarse.dust * Math.exp(this.#dust(at) + own.dust(at));
    const traffic = climate.no2.traffic * site.urban * rushHours(hour);
    // Gases follow the same air, less sharply than particles.
    const follow = (share: number): number => Math.exp(share * weather + 0.5 * gust + 1.2 * mixing);
    const no2Now = no2.median * (0.6 + 0.5 * site.urban) * Math.exp(traffic + own.no2(at)) * follow(0.55);
    const sun = Math.max(0, Math.sin((Math.PI * (hour - 7.5)) / 12.5)) ** 1.5 * (washed < 0.9 ? 0.6 : 1);
    // Nitric oxide of the same sources takes ozone away; a sunny afternoon makes it.
    const ozone =
      (o3.background * Math.exp(-0.75 * weather) * (1 - 0.3 * Math.min(1, rushHours(hour))) +
        o3.noon * sun * Math.exp(-0.2 * weather)) *
      Math.exp(own.o3(at));
    return {
      pm25,
      pm10: pm25 * (1 + coarse.share) + dust,
      co: co.clean + (co.perPm25 * (pm25 - smoke) + SMOKE_CO_PER_PM25 * smoke) * Math.exp(own.co(at)),
      no2: no2Now + 0.03 * smoke,
      so2: so2.median * Math.exp(own.so2(at)) * follow(0.6) + 0.01 * smoke,
      o3: Math.max(1, ozone - 0.12 * no2Now),
      temperature: this.weather.temperature(at),
      humidity: this.weather.humidity(at),
    };
  }

  #haze(at: UtcMillis): number {
    return this.#options.episodes.reduce((sum, { from, to, pm25 }) => {
      const ramp = Math.min(HAZE_RAMP, (to - from) / 4);
      const share = Math.min((at - from) / ramp, (to - at) / ramp, 1);
      return share <= 0 ? sum : sum + pm25 * share * share * (3 - 2 * share);
    }, 0);
  }

  #siteProcesses(id: string): Readonly<Record<'pm25' | 'co' | 'no2' | 'so2' | 'o3' | 'dust', Signal>> {
    const known = this.#sites.get(id);
    if (known !== undefined) return known;
    const { seed, climate, from } = this.#options;
    const own = (name: string, sd: number, tau: Millis): Signal =>
      memoryProcess(seed, `site/${id}/${name}`, { sd, tau }, from);
    const processes = {
      pm25: memoryProcess(seed, `site/${id}/pm25`, climate.local, from),
      co: own('co', 0.22, 6 * HOUR),
      no2: own('no2', 0.25, 6 * HOUR),
      so2: own('so2', 0.65, 14 * HOUR),
      o3: own('o3', 0.3, 5 * HOUR),
      dust: own('dust', 0.3, 4 * HOUR),
    };
    this.#sites.set(id, processes);
    return processes;
  }
}

function plumes(sources: readonly PlumeSource[], site: AirSite, at: UtcMillis, weather: Weather): number {
  return sources.reduce((sum, source) => sum + plumeAt(source, site, at, weather), 0);
}

/** About 1 in the shallow layer of the late evening, -1 in the morning when it breaks up. */
function nightLayer(hour: number): number {
  return (
    0.8 * Math.cos((2 * Math.PI * (hour - 21.5)) / 24) + 0.25 * Math.cos((4 * Math.PI * (hour - 22.5)) / 24)
  );
}

/** Traffic: peaks at 07:30 and 18:30, each some two hours wide. */
function rushHours(hour: number): number {
  const peak = (middle: number): number => Math.exp(-(((hour - middle) / 2) ** 2));
  return peak(7.5) + 1.3 * peak(18.5);
}
