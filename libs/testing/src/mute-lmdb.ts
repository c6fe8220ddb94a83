/**
 * Keeps lmdb from printing every commit that fails, for tests that fill a disk.
 *
 * The first test file of a process that loads lmdb serves all the others, since the native part exists once. It prints
 * to the console of that file, which Jest has frozen by then: a line there would fail the whole run. Hence the console
 * is found by way of a function of lmdb and not by its name.
 *
 * @returns lets it print again
 */
export function muteLmdb(environment: {
  readonly transaction: (work: () => unknown) => unknown;
}): () => void {
  const evaluate = environment.transaction.constructor as (body: string) => () => Console;
  const consoleThere = evaluate('return console')();
  const print = consoleThere.error.bind(consoleThere);
  consoleThere.error = () => undefined;
  return () => void (consoleThere.error = print);
}
