import { DAY, HOUR, type UtcMillis } from '#libs/kernel';

/**
 * ISPU of Permen LHK P.14/2020 from 24-hour means in µg/m³. Written from the annex and not from Pantau's code, so that a mistake
 * there shows. The last row, ">300", is taken to end at 500.
 */
const NODES = [0, 50, 100, 200, 300, 500] as const;
const CONCENTRATIONS: Readonly<Record<string, readonly number[]>> = {
  pm10: [0, 50, 150, 350, 420, 500],
  pm25: [0, 15.5, 55.4, 150.4, 250.4, 500],
  so2: [0, 52, 180, 400, 800, 1_200],
  co: [0, 4_000, 8_000, 15_000, 30_000, 45_000],
  o3: [0, 120, 235, 400, 800, 1_000],
  no2: [0, 80, 200, 1_130, 2_260, 3_000],
};

/** True values of an instant. */
export interface TrueSample {
  readonly at: UtcMillis;
  readonly values: Readonly<Record<string, number>>;
}

/** The true index over the 24 hours before an instant: the highest sub-index of the means of hourly means. */
export function trueIndexAt(samples: readonly TrueSample[], end: UtcMillis): number {
  const hours = new Map<string, Map<number, number[]>>();
  for (const { at, values } of samples) {
    if (at < end - DAY || at >= end) continue;
    for (const [parameter, value] of Object.entries(values)) {
      const own = hours.get(parameter) ?? new Map<number, number[]>();
      const hour = Math.floor(at / HOUR);
      own.set(hour, [...(own.get(hour) ?? []), value]);
      hours.set(parameter, own);
    }
  }
  const indices = Array.from(hours, ([parameter, own]) =>
    subIndex(parameter, mean([...own.values()].map(mean))),
  );
  return Math.round(Math.max(0, ...indices));
}

function subIndex(parameter: string, concentration: number): number {
  const nodes = CONCENTRATIONS[parameter];
  // Temperature and humidity have no index.
  if (nodes === undefined) return 0;
  for (let i = 1; i < nodes.length; i++) {
    const [below = 0, above = 0, from = 0, to = 0] = [nodes[i - 1], nodes[i], NODES[i - 1], NODES[i]];
    if (concentration <= above) return from + ((to - from) * (concentration - below)) / (above - below);
  }
  return 500;
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}
