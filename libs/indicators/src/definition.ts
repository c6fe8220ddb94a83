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
  /** Of which kind of device, where it is about devices. */
  readonly deviceKind: 'air' | 'camera';
  readonly period: PeriodUnit;
  readonly function: string;
  readonly arguments: unknown;
}
