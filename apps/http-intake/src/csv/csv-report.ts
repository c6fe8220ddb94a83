import { PARAMETERS, type MeasuredParameter } from '#libs/telemetry';
import type { CsvFile, CsvProblem } from './csv-file.js';

/** Lines that a report lists; all are counted, and all that were taken in are at `/api/v1/rejected`. */
const REPORTED_LINES = 1_000;

/** What the sender of a file is told. */
export interface CsvReport {
  readonly lines: number;
  /** Lines of which a value is taken; of a dry run, would be. */
  readonly accepted: number;
  readonly refused: number;
  /** How the file was read, and what came out of it: a wrong unit or decimal mark shows here. */
  readonly read: CsvFile['read'] & {
    readonly from: string | null;
    readonly to: string | null;
    readonly parameters: readonly ParameterSummary[];
  };
  readonly problems: readonly CsvProblem[];
  readonly problemCount: number;
  /** Only of a dry run: what would be stored. */
  readonly wouldStore?: readonly {
    readonly line: number;
    readonly ts: string;
    readonly values: Readonly<Partial<Record<MeasuredParameter, number>>>;
  }[];
}

interface ParameterSummary {
  readonly parameter: MeasuredParameter;
  readonly unit: string;
  readonly values: number;
  readonly min: number;
  readonly max: number;
}

/** A file with a fault as a whole has no accepted line. */
export function reportOf({ rows, problems, faults, read }: CsvFile, dryRun: boolean): CsvReport {
  const taken = rows.filter(({ values }) => values.length > 0);
  const summaries = new Map<MeasuredParameter, ParameterSummary>();
  let [from, to] = [Infinity, -Infinity];
  for (const { ts = 0, values } of taken) {
    [from, to] = [Math.min(from, ts), Math.max(to, ts)];
    for (const [parameter, value] of values) {
      const { values: count = 0, min = value, max = value } = summaries.get(parameter) ?? {};
      const { unit } = PARAMETERS[parameter];
      const range = { min: Math.min(min, value), max: Math.max(max, value) };
      summaries.set(parameter, { parameter, unit, values: count + 1, ...range });
    }
  }
  const accepted = faults.length > 0 ? 0 : taken.length;
  const all = [...faults, ...problems.toSorted((a, b) => a.line - b.line)];
  const span =
    taken.length === 0
      ? { from: null, to: null }
      : { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return {
    lines: rows.length,
    accepted,
    refused: rows.length - accepted,
    read: { ...read, ...span, parameters: [...summaries.values()] },
    problems: all.slice(0, REPORTED_LINES),
    problemCount: all.length,
    ...(dryRun
      ? {
          wouldStore: taken.slice(0, REPORTED_LINES).map(({ line, ts = 0, values }) => ({
            line,
            ts: new Date(ts).toISOString(),
            values: Object.fromEntries(values),
          })),
        }
      : {}),
  };
}
