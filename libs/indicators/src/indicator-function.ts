import type { z } from 'zod';
import type { IndicatorDefinition } from './definition.js';
import type { DeviceInputs, SeriesName } from './inputs.js';
import type { Period, PeriodUnit } from './period.js';
import type { IndicatorRecord } from './record.js';
import type { Subject, SubjectKind } from './subject.js';

/** Which figure is wanted. */
export interface FigureQuestion<Arguments = unknown> {
  readonly definition: IndicatorDefinition;
  /** Those of the definition. */
  readonly args: Arguments;
  readonly subject: Subject;
  readonly period: Period;
}

/** A formula that indicators name, with arguments of their own; one folder in `functions/`. */
export interface IndicatorFunction<Arguments = unknown> {
  readonly arguments: z.ZodType<Arguments>;
  /** What it can be computed of. */
  readonly subjects: readonly SubjectKind[];
  readonly periods: readonly PeriodUnit[];
  /** The series of a device on which it rests. */
  series(args: Arguments): SeriesName;
  /** Whether a device that reports other things alone owes this one too, so that its days are listed. */
  readonly isOwed: boolean;
  /** Names of the settings that it follows from, beside registration and interval of the device. */
  settings(device: string): readonly string[];
  /**
   * The record must not depend on the order of the inputs nor hold the time of computation.
   *
   * @param devices - those that the subject is made of
   */
  compute(question: FigureQuestion<Arguments>, devices: readonly DeviceInputs[]): Promise<IndicatorRecord>;
}

/** Checks that a function fits together, and forgets the type of its arguments. */
export function defineIndicatorFunction<Arguments>(
  definition: IndicatorFunction<Arguments>,
): IndicatorFunction {
  return definition;
}

/** The device of a subject that is one. @throws RangeError when there is none */
export function onlyDevice([device]: readonly DeviceInputs[]): DeviceInputs {
  if (device === undefined) throw new RangeError('a figure of a device needs that device');
  return device;
}
