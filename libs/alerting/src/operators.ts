import type { Millis } from '#libs/kernel';
import { concatMap, from, map, scan, type Observable, type OperatorFunction } from 'rxjs';
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

/**
 * What a stream emits that waits for nothing, such as one of readings that are all there.
 *
 * @throws what the stream fails with
 */
export function atOnce<T>(stream: Observable<T>): T[] {
  const values: T[] = [];
  const failures: unknown[] = [];
  stream.subscribe({
    next: (value) => void values.push(value),
    error: (error: unknown) => void failures.push(error),
  });
  if (failures.length > 0) throw failures[0];
  return values;
}
