/** Set in CI: suites that repeat then do all their repetitions. */
const ALL = process.env['PANTAU_ALL_REPETITIONS'] === '1';

/**
 * How often a suite repeats what it does, such as kills or malformed packets: `all` in CI and with
 * `PANTAU_ALL_REPETITIONS=1`, a fifth of it otherwise, so that the suites at hand stay short.
 */
export function repetitions(all: number): number {
  return ALL ? all : Math.ceil(all / 5);
}
