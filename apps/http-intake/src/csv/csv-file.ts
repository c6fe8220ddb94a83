import type { UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, RejectionReason } from '#libs/telemetry';
import type { CellFault, DecimalMark, EpochUnit } from './csv-cells.js';

/** A line of the report. */
export interface CsvProblem extends CellFault {
  /** Line of the file, from 1. */
  readonly line: number;
  /** As the header names it; absent where it is about the whole line. */
  readonly column?: string;
  readonly reason: RejectionReason;
}

export interface CsvRow {
  readonly line: number;
  readonly ts: UtcMillis | undefined;
  /** In the units of the parameters; none of a line that is not taken. */
  readonly values: readonly (readonly [MeasuredParameter, number])[];
  /** The line in Pantau's own JSON form; one that ingest refuses too when no value of it is taken. */
  readonly payload: Buffer;
}

export interface CsvFile {
  readonly rows: readonly CsvRow[];
  /** What is wrong with single lines and cells. */
  readonly problems: readonly CsvProblem[];
  /** What makes the file as a whole unclear: nothing of it may be taken. */
  readonly faults: readonly CsvProblem[];
  /** How the file was read. */
  readonly read: { readonly time: EpochUnit | 'date'; readonly decimal: DecimalMark | undefined };
}
