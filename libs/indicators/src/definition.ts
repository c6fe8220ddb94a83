import type { PeriodUnit } from './period.js';
import type { SubjectKind } from './subject.js';

interface Text {
  readonly id: string;
  readonly en: string;
}

/** What an indicator is: data that names a function. Printed with every figure. */
export interface IndicatorDefinition {
  readonly key: string;
  /** Raised with every change of the method, so that an old figure can be told from a new one. */
  readonly version: number;
  readonly name: Text;
  readonly formula: Text;
  readonly unit: string;
  readonly subject: SubjectKind;
  /** Which of the devices of its subject it is made of; all when it does not say. */
  readonly deviceKind?: 'air' | 'camera' | undefined;
  readonly period: PeriodUnit;
  readonly function: string;
  readonly arguments: unknown;
  /** Comes with Pantau; the catalogue says so, not the file. */
  readonly isShipped?: boolean;
}

/** As the file says it: what is recorded and shown. */
export function asWritten(definition: IndicatorDefinition): Omit<IndicatorDefinition, 'isShipped'> {
  const written = { ...definition } as IndicatorDefinition & { isShipped?: boolean };
  delete written.isShipped;
  return written;
}
