import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerFixture } from './broker.fixture.js';

const BROKER_PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'broker.md');
/** Acknowledgements of the bystander that make a quiet time. */
const QUIET_COUNT = 50;
/** Acknowledgements that are quicker than this are quick, whatever they were in quiet times: the machine may be busy. */
const QUICK_MS = 150;

/** What an attack may cost. */
export interface Allowance {
  /** Memory (heap and buffers, after garbage collection) that the process may have more while the attack stands. */
  readonly marginBytes?: number;
  /** How many times the median of the quiet times the bystander's median acknowledgement may take. */
  readonly ratio?: number;
}

/**
 * Attacks, and returns when the attack is at its height.
 *
 * @returns ends the attack; called when memory has been measured
 */
export type Attack = (fixture: BrokerFixture) => Promise<() => Promise<void> | void>;

/** An attacker of one row of the table of bounds in docs/broker.md; every row needs one, see bounds.spec.ts. */
export function boundary(row: string, title: string, attacker: () => Promise<void>): void {
  it(`${row}: ${title}`, attacker);
}

/** The names (first column) of the rows of the table of bounds. */
export function boundRows(): string[] {
  const [, section = ''] = readFileSync(BROKER_PAGE, 'utf8').split('\n## Bounds\n');
  const [own = ''] = section.split('\n## ');
  return own
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.split('|')[1]!.trim());
}

/** Rows that a spec of the broker attacks. */
export function attackedRows(): Set<string> {
  const rows = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.spec.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .flatMap((text) => [...text.matchAll(/\bboundary\(\s*'([^']+)'/g)].map(([, row]) => row!));
  return new Set(rows);
}

/**
 * Asserts that memory stays flat and that a bystander (`udara-02`, one QoS 1 message in flight) is served in time
 * while the attack runs. Broker, attacker and bystander share this process, so the attacker's own memory and work count
 * too: margins and ratios are wider than those of the broker alone.
 */
export async function assertBounded(
  fixture: BrokerFixture,
  attack: Attack,
  { marginBytes = 24_000_000, ratio = 20 }: Allowance = {},
): Promise<void> {
  const bystander = await fixture.connect('udara-02', { clean: true });
  const acknowledged = async (): Promise<number> => {
    const startedAt = performance.now();
    await bystander.publishAsync('pantau/v1/betung/udara-02/telemetry', 'x', { qos: 1 });
    return performance.now() - startedAt;
  };
  const quiet: number[] = [];
  for (let i = 0; i < QUIET_COUNT; i++) quiet.push(await acknowledged());
  const before = keptBytes();

  const beside: number[] = [];
  const over = new AbortController();
  const serving = (async (): Promise<void> => {
    while (!over.signal.aborted) beside.push(await acknowledged());
  })();
  // Watched from the beginning: an attack that fails first must not leave its rejection to nobody.
  serving.catch(() => undefined);
  let end: Awaited<ReturnType<Attack>> | undefined;
  try {
    end = await attack(fixture);
  } finally {
    over.abort();
  }
  await serving;
  const kept = keptBytes() - before;
  await end();

  expect(bystander.connected).toBe(true);
  expect({ keptBytes: kept }).toEqual({ keptBytes: atMost(kept, marginBytes) });
  const allowedMs = Math.max(QUICK_MS, ratio * median(quiet));
  expect({ acknowledgedMs: median(beside) }).toEqual({ acknowledgedMs: atMost(median(beside), allowedMs) });
  await bystander.endAsync();
}

/** The value itself when it is within the limit: a failed comparison then shows both. */
function atMost(value: number, limit: number): number | string {
  return value <= limit ? value : `at most ${limit}`;
}

/** Bytes of the heap and of buffers that are still reachable. */
export function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Twice: buffers are freed by the finalizers of the first.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
