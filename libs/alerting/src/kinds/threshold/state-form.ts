import type { UtcMillis } from '#libs/kernel';
import type { ThresholdState } from './reducer.js';

/** As objects with names they took longer to write than to judge. */
type Stored = readonly [
  /** Place in {@link PHASES}. */
  phase: number,
  lastTs: UtcMillis | null,
  since: UtcMillis | null,
  /** Instants and values in turn. */
  ...evidence: number[],
];

const PHASES: readonly ThresholdState['phase'][] = ['inactive', 'pending', 'firing'];

export const thresholdForm = {
  pack({ phase, lastTs, since, evidence }: ThresholdState): Stored {
    const place = PHASES.indexOf(phase);
    // Nearly always: nothing is wrong.
    if (evidence.length === 0) return [place, lastTs, since];
    return [place, lastTs, since, ...evidence.flatMap(({ ts, value }) => [ts, value])];
  },

  unpack(stored: readonly unknown[]): ThresholdState {
    const [phase, lastTs, since, ...numbers] = stored as Stored;
    const evidence: { ts: UtcMillis; value: number }[] = [];
    for (let i = 0; i + 1 < numbers.length; i += 2)
      evidence.push({ ts: numbers[i] as number, value: numbers[i + 1] as number });
    return { phase: PHASES[phase] ?? 'inactive', lastTs, since, evidence };
  },
};
