import type { NewEntry } from '#libs/journal';
import type { Tally } from '#libs/journal-transport';
import type { CommandEvent, Observation, Refusal, Signal } from '#libs/telemetry';

/** What messages became, in entries. */
interface Outcome {
  readonly readings: readonly NewEntry<Observation>[];
  readonly signals: readonly NewEntry<Signal>[];
  readonly commands: readonly NewEntry<CommandEvent>[];
}

export interface Sizes {
  readonly readings: number;
  readonly signals: number;
  readonly commands: number;
}

export function sizesOf({ readings, signals, commands }: Outcome): Sizes {
  return { readings: readings.length, signals: signals.length, commands: commands.length };
}

/** Counts a message under what it became, and its values and refusals. */
export function countMessage(
  tally: Tally,
  before: Sizes,
  outcome: Outcome,
  refusals: readonly Refusal[],
): void {
  tally.add(becameOf(before, outcome, refusals));
  for (let i = before.readings; i < outcome.readings.length; i++) {
    const data = outcome.readings[i]?.data;
    if (data !== undefined) tally.add(data.amendment === true ? 'amended' : 'values', data.readings.length);
  }
  for (const { reason } of refusals) tally.add(`refused: ${reason}`);
}

/** The first that applies. */
function becameOf(before: Sizes, outcome: Outcome, refusals: readonly Refusal[]): string {
  if (outcome.readings.length > before.readings) return 'reading';
  if (outcome.signals.length > before.signals) return 'signal';
  if (outcome.commands.length > before.commands) return 'command';
  if (refusals.length === 0) return 'untraced';
  if (refusals.some(({ reason }) => reason !== 'nothing_to_keep' && reason !== 'repeated')) return 'refused';
  return refusals.some(({ reason }) => reason === 'nothing_to_keep') ? 'ignored' : 'repeated';
}
