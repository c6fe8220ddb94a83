import type { Row } from '#libs/kernel';

/**
 * Of one device: the state of every rule that it moved. Lists, because they are written again with nearly every message. What
 * follows the name of the rule is in the form of its kind ({@link RuleKind.form}).
 */
export type DeviceStates = readonly StoredState[];
export type StoredState = Row<'state of a rule'>;

type Places = readonly [
  /** Rule and version. */
  rule: string,
  ...state: unknown[],
];

/** Whether it is a list of states, each with the rule that it is of. What else is in them their kinds say. */
export function isDeviceStates(value: unknown): boolean {
  return Array.isArray(value) && value.every((state) => Array.isArray(state) && typeof state[0] === 'string');
}

/** The state of a rule among those of its device. */
export function storedOf(states: DeviceStates, rule: string): StoredState | undefined {
  return states.find((state) => placesOf(state)[0] === rule);
}

export const STATE_FORM = {
  /** @param state - in the form of the rule's kind */
  pack(rule: string, state: readonly unknown[]): StoredState {
    return [rule, ...state] satisfies Places as unknown as StoredState;
  },

  /** @returns the state in the form of the rule's kind */
  unpack(stored: StoredState): readonly unknown[] {
    return placesOf(stored).slice(1);
  },
};

function placesOf(stored: StoredState): Places {
  return stored as unknown as Places;
}
