import type { AlertState } from '#libs/alerting';
import type { UtcMillis } from '#libs/kernel';

/**
 * Of one device: the state of every rule that it moved. Lists, because they are written again with nearly every message:
 * as objects with names they took longer than judging it.
 */
export type DeviceStates = readonly StoredState[];

type StoredState = readonly [
  /** Rule and version. */
  rule: string,
  /** Place in {@link PHASES}. */
  phase: number,
  lastTs: UtcMillis | null,
  since: UtcMillis | null,
  /** Instants and values in turn. */
  ...evidence: number[],
];

const PHASES: readonly AlertState['phase'][] = ['inactive', 'pending', 'firing'];

export function stored(rule: string, { phase, lastTs, since, evidence }: AlertState): StoredState {
  const place = PHASES.indexOf(phase);
  // Nearly always: nothing is wrong.
  if (evidence.length === 0) return [rule, place, lastTs, since];
  return [rule, place, lastTs, since, ...evidence.flatMap(({ ts, value }) => [ts, value])];
}

export function stateOf([, phase, lastTs, since, ...numbers]: StoredState): AlertState {
  const evidence: { ts: UtcMillis; value: number }[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2)
    evidence.push({ ts: numbers[i] as number, value: numbers[i + 1] as number });
  return { phase: PHASES[phase] ?? 'inactive', lastTs, since, evidence };
}

export function storedOf(states: DeviceStates, rule: string): StoredState | undefined {
  for (const state of states) if (state[0] === rule) return state;
  return undefined;
}
