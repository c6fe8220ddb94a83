import type { Millis } from '#libs/kernel';
import { concatMap, from, map, scan, type OperatorFunction } from 'rxjs';
import type { ThresholdRule } from './rule.js';
import {
  INACTIVE,
  step,
  type AlertReading,
  type AlertState,
  type AlertTransition,
  type Step,
} from './threshold.js';

/**
 * Runs the readings of one device through a rule: emits, for every reading, the state after it and the transitions it
 * caused. The last state is what has to be kept.
 *
 * @param initial - the state that was kept
 */
export function thresholdSteps(
  rule: ThresholdRule,
  maxGapMs: Millis,
  initial: AlertState = INACTIVE,
): OperatorFunction<AlertReading, Step> {
  return scan((previous: Step, reading) => step(rule, previous.state, reading, maxGapMs), {
    state: initial,
    transitions: [],
  });
}

/** Only the transitions. */
export function thresholdTransitions(
  rule: ThresholdRule,
  maxGapMs: Millis,
  initial?: AlertState,
): OperatorFunction<AlertReading, AlertTransition> {
  return (readings) =>
    readings.pipe(
      thresholdSteps(rule, maxGapMs, initial),
      map(({ transitions }) => transitions),
      concatMap((transitions) => from(transitions)),
    );
}
