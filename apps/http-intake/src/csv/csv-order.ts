import type { UtcMillis } from '#libs/kernel';
import type { CsvProblem, CsvRow } from './csv-file.js';
import { both } from './csv-cells.js';

/**
 * What the order of the lines says of the clock that wrote them. A logger writes on, or the file has the newest line first;
 * a jump against that direction is a clock that was set, and nobody can tell which side of the jump is right. Lines whose
 * time is not believed are left out: they are refused as they are.
 *
 * @param order - `any` when the sender stands for the times; two values of one instant remain a fault
 */
export function orderFaults(rows: readonly CsvRow[], order: 'any' | undefined): CsvProblem[] {
  const timed = rows.filter((row): row is TimedRow => row.values.length > 0);
  if (order === 'any') return doubleFaults(timed);
  const jumps = { up: [] as number[], down: [] as number[] };
  for (let i = 1; i < timed.length; i++) {
    const step = (timed[i]?.ts ?? 0) - (timed[i - 1]?.ts ?? 0);
    if (step !== 0) jumps[step > 0 ? 'up' : 'down'].push(i);
  }
  const against = jumps.up.length >= jumps.down.length ? jumps.down : jumps.up;
  return [...against.map((i) => jumpFault(timed[i - 1], timed[i])), ...doubleFaults(timed)];
}

function jumpFault(before: CsvRow | undefined, { line, ts }: CsvRow = NO_ROW): CsvProblem {
  const [from, to] = [isoOf(before?.ts), isoOf(ts)];
  return {
    line,
    column: 'ts',
    reason: 'schema_violation',
    detail: both(
      `waktu melompat dari ${from} (baris ${before?.line ?? 0}) ke ${to}, melawan arah berkas`,
      `the time jumps from ${from} (line ${before?.line ?? 0}) to ${to}, against the direction of the file`,
    ),
    remedy: both(
      'jam pencatat disetel di tengah berkas: pisahkan berkas pada baris ini dan kirim yang waktunya benar; bila semua waktu benar, urutkan atau sebutkan order=any',
      'the clock was set amid the file: split it at this line and send what has right times; if all times are right, sort it or give order=any',
    ),
  };
}

type TimedRow = CsvRow & { readonly ts: UtcMillis };

/** Two different values of one instant: one would replace the other. */
function doubleFaults(timed: readonly TimedRow[]): CsvProblem[] {
  const faults: CsvProblem[] = [];
  let instant: UtcMillis | undefined;
  const known = new Map<string, { readonly line: number; readonly value: number }>();
  for (const { line, ts, values } of timed.toSorted((a, b) => a.ts - b.ts)) {
    if (ts !== instant) known.clear();
    instant = ts;
    for (const [parameter, value] of values) {
      const first = known.get(parameter);
      if (first === undefined) known.set(parameter, { line, value });
      else if (first.value !== value)
        faults.push({
          line,
          column: parameter,
          reason: 'schema_violation',
          detail: both(
            `nilai kedua untuk ${isoOf(ts)}, berbeda dari baris ${first.line}`,
            `a second value of ${isoOf(ts)}, another one than in line ${first.line}`,
          ),
          remedy: both(
            'tulis waktu dengan detik, atau hapus salah satu baris',
            'write the times with seconds, or leave one of the lines out',
          ),
        });
    }
  }
  return faults;
}

const NO_ROW: CsvRow = { line: 0, ts: undefined, values: [], payload: Buffer.alloc(0) };

function isoOf(ts: UtcMillis | undefined): string {
  return ts === undefined ? '?' : new Date(ts).toISOString();
}
