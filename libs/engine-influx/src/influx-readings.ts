import { maskOfTests, testsOfMask } from '#libs/quality-control';
import type { Parameter, QualityFlag } from '#libs/telemetry';
import { doubtLine, type Point, type StorableObservation } from '#libs/timeseries';

/** The flag of a reading that has none beside it. */
const PASSED: QualityFlag = 1;

/** What is kept of each parameter of a reading. */
export const READING_NAMES = ['value', 'flag', 'failed', 'doubt'] as const;

/** The field of a parameter; the value itself bears the parameter's own name. */
export function fieldOf(parameter: Parameter, name: string): string {
  return name === 'value' ? parameter : `${parameter}_${name}`;
}

/** @param isNewest - so that no flag stands at its instant */
export function readingFields({ receivedAt, readings }: StorableObservation, isNewest: boolean): string {
  let fields = `receivedAt=${receivedAt}`;
  let mayHaveFlags = !isNewest;
  for (const { parameter, value, flag, failed, doubt } of readings) {
    fields += `,${parameter}=${value}`;
    // What stands in the line counts too: it may name a parameter twice.
    mayHaveFlags ||= flag !== PASSED;
    if (!mayHaveFlags) continue;
    fields += `,${parameter}_flag=${flag}`;
    // Beside a flag that says that nothing failed, an earlier one may stay: it is not read there.
    if (!isJudgedBad(flag)) continue;
    fields += `,${parameter}_failed=${maskOfTests(failed)}`;
    // Where the device doubts without words, an earlier doubt may stand: it is replaced.
    if (doubt !== undefined || isDoubted(failed)) fields += `,${parameter}_doubt=${text(doubt ?? '')}`;
  }
  return fields;
}

/** What a line says of a parameter. */
export function judgementIn(
  line: Readonly<Record<string, unknown>>,
  parameter: Parameter,
): Pick<Point, 'flag' | 'failed' | 'doubt'> {
  const flag = (line[fieldOf(parameter, 'flag')] ?? PASSED) as QualityFlag;
  const mask = line[fieldOf(parameter, 'failed')];
  const failed = isJudgedBad(flag) && typeof mask === 'number' ? testsOfMask(mask) : [];
  if (failed.length === 0) return { flag };
  const doubt = isDoubted(failed) ? line[fieldOf(parameter, 'doubt')] : undefined;
  return typeof doubt === 'string' && doubt !== '' ? { flag, failed, doubt } : { flag, failed };
}

function isJudgedBad(flag: QualityFlag): boolean {
  return flag === 3 || flag === 4;
}

function isDoubted(failed: readonly string[] = []): boolean {
  return failed.includes('device');
}

/** A string field of the line protocol; a line is one line. */
function text(words: string): string {
  return `"${doubtLine(words).replace(/["\\]/g, '\\$&')}"`;
}
