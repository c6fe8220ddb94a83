import { show } from '../../core/show.svelte';
import type { Part } from '../../ui/chart/Shares.svelte';

/** The parts of a whole, in the order of their tones. */
export function partsOf<K extends string | number>(
  tones: Readonly<Record<K, Part['tone']>>,
  titles: Readonly<Record<NoInfer<K>, string>>,
  counts: Readonly<Record<NoInfer<K>, number>>,
): Part[] {
  return (Object.keys(tones) as K[]).map((name) => ({
    title: titles[name],
    amount: counts[name],
    text: show.number(counts[name], 0),
    tone: tones[name],
  }));
}

/** Where a message can have gone that was decoded, in the order of every picture of the account. */
export const WENT = {
  becameReadings: 'good',
  becameSignals: 'good',
  becameCommandResults: 'good',
  repeated: 'accent',
  ignored: 'accent',
  refused: 'warn',
} as const;
