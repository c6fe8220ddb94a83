/**
 * Jest reporter: says in one line each which suites were skipped for want of a real server, and ends
 * with the plain line `N passed, N failed, N skipped` that a script can read.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const skipped = new Set();
    for (const suite of results.testResults) {
      for (const test of suite.testResults) {
        if (test.status !== 'pending') continue;
        const reason = test.ancestorTitles.find((title) => title.includes('(skipped: '));
        skipped.add(reason ?? `${test.ancestorTitles.join(' > ')} > ${test.title}`);
      }
    }
    for (const line of skipped) console.log(`skipped suite: ${line}`);
    // A suite that fails to load has no tests of its own, yet it is a failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const pending = results.numPendingTests + results.numTodoTests;
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${pending} skipped`);
  }
}
