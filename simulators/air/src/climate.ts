import { HOUR, type Millis } from '#libs/kernel';
import type { Memory } from './processes.js';

/** What the air of a place and season is like. Concentrations in µg/m³, temperatures in °C, humidity in %. */
export interface Climate {
  /** The air that comes and goes with the weather: median of PM2.5, spread and memory of its logarithm. */
  readonly regional: Memory & { readonly median: number };
  /** What a station has for itself, as a share: streets, stoves, the lee of a house. Of a logarithm. */
  readonly local: Memory;
  /** How much a shallow night layer concentrates, and a deep afternoon one dilutes. Of a logarithm. */
  readonly mixing: number;
  /** PM10 beside PM2.5: its part that is coarser, as a share of PM2.5 and as dust of its own. */
  readonly coarse: { readonly share: number; readonly dust: number };
  /** Carbon monoxide of clean air, and of smoke and traffic with each µg/m³ of PM2.5. */
  readonly co: { readonly clean: number; readonly perPm25: number };
  readonly no2: { readonly median: number; readonly traffic: number };
  readonly so2: { readonly median: number };
  /** Ozone that comes in from above, and what a clear noon makes beside it. */
  readonly o3: { readonly background: number; readonly noon: number };
  readonly temperature: { readonly mean: number; readonly swing: number; readonly weather: Memory };
  readonly humidity: { readonly mean: number; readonly swing: number };
  /** Metres a second; degrees from which the wind comes. */
  readonly wind: { readonly speed: number; readonly from: number; readonly veer: number };
  /** Showers a day, their mean length, and the share of particles that an hour of rain leaves. */
  readonly rain: { readonly perDay: number; readonly length: Millis; readonly leaves: number };
}

/** Climates by name. Sumatra's have the order of magnitude of its lowlands; Beijing's is fitted to the recorded stations. */
export const CLIMATES = {
  /** South Sumatra, July to October: little rain, the trade wind from the south-east. Fires are episodes of the scenario. */
  'sumatra-dry': {
    regional: { median: 18, sd: 0.35, tau: 24 * HOUR },
    local: { sd: 0.12, tau: 3 * HOUR },
    mixing: 0.3,
    coarse: { share: 0.25, dust: 12 },
    co: { clean: 250, perPm25: 9 },
    no2: { median: 14, traffic: 0.5 },
    so2: { median: 6 },
    o3: { background: 25, noon: 60 },
    temperature: { mean: 27.5, swing: 4.5, weather: { sd: 0.6, tau: 24 * HOUR } },
    humidity: { mean: 78, swing: 16 },
    wind: { speed: 2.2, from: 140, veer: 25 },
    rain: { perDay: 0.1, length: 0.7 * HOUR, leaves: 0.55 },
  },
  /** South Sumatra, November to April: showers on most afternoons, the wind from the north-west. */
  'sumatra-wet': {
    regional: { median: 11, sd: 0.35, tau: 20 * HOUR },
    local: { sd: 0.12, tau: 3 * HOUR },
    mixing: 0.25,
    coarse: { share: 0.25, dust: 7 },
    co: { clean: 220, perPm25: 9 },
    no2: { median: 12, traffic: 0.5 },
    so2: { median: 4 },
    o3: { background: 20, noon: 40 },
    temperature: { mean: 26.5, swing: 3.5, weather: { sd: 0.5, tau: 24 * HOUR } },
    humidity: { mean: 86, swing: 11 },
    wind: { speed: 2, from: 320, veer: 35 },
    rain: { perDay: 1.2, length: 1.2 * HOUR, leaves: 0.5 },
  },
  /** The winter that the recorded stations saw: the model is compared with them in this one. */
  'beijing-winter': {
    regional: { median: 68, sd: 1.14, tau: 31 * HOUR },
    local: { sd: 0.22, tau: 3 * HOUR },
    mixing: 0.2,
    coarse: { share: 0.08, dust: 9 },
    co: { clean: 330, perPm25: 15 },
    no2: { median: 46, traffic: 0.14 },
    so2: { median: 10 },
    o3: { background: 22, noon: 30 },
    temperature: { mean: -1, swing: 4, weather: { sd: 3, tau: 48 * HOUR } },
    humidity: { mean: 50, swing: 15 },
    wind: { speed: 1.8, from: 320, veer: 60 },
    rain: { perDay: 0, length: HOUR, leaves: 1 },
  },
} as const satisfies Readonly<Record<string, Climate>>;

export type ClimateName = keyof typeof CLIMATES;
