/**
 * Of one device: the state of every rule that it moved. Lists, because they are written again with nearly every message. What
 * follows the name of the rule is in the form of its kind ({@link RuleKind.form}).
 */
export type DeviceStates = readonly StoredState[];

type StoredState = readonly [
  /** Rule and version. */
  rule: string,
  ...state: unknown[],
];

export function storedOf(states: DeviceStates, rule: string): StoredState | undefined {
  for (const state of states) if (state[0] === rule) return state;
  return undefined;
}
