/**
 * How far two sensors of particles in one housing may be apart: by more than both they contradict each other. Source: US EPA,
 * correction of PurpleAir data (Barkjohn, Gantt and Clements 2021, doi:10.5194/amt-14-4617-2021): 5 µg/m³ and 70 % of their mean.
 */
const APART = { ugM3: 5, ofMean: 0.7 } as const;

/** What one of the two says, under its name. */
export type Stated = readonly [name: string, found: unknown];

/** Why two sensors do not bear each other out; undefined where they do, and where neither gives a number. */
export function contradiction([nameA, a]: Stated, [nameB, b]: Stated): string | undefined {
  if (!isMass(a) || !isMass(b))
    return isMass(a) || isMass(b)
      ? `one of two lasers gives no value: ${isMass(a) ? nameB : nameA}`
      : undefined;
  const apart = Math.abs(a - b);
  return apart > APART.ugM3 && apart > (APART.ofMean * (a + b)) / 2
    ? `the lasers contradict each other: ${nameA} ${a}, ${nameB} ${b}`
    : undefined;
}

/** Less than nothing is what firmwares write for a sensor that does not answer. */
function isMass(found: unknown): found is number {
  return typeof found === 'number' && found >= 0;
}
