/**
 * What a test run comes to.
 *
 * @param {{ numPassedTests: number, numFailedTests: number,
 *   testResults: { status: string, assertionResults: { status: string }[] }[] } | null} report Vitest's JSON report
 * @param {number} exitCode Vitest's
 * @param {number} checksFailed Failures before the tests: format and lint, types
 * @returns {{ passed: number, failed: number }}
 */
export function summary(report, exitCode, checksFailed) {
  const passed = report?.numPassedTests ?? 0;
  // A file that cannot be loaded, or whose set-up fails, has no failed test of its own.
  const brokenFiles = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = (report?.numFailedTests ?? 0) + brokenFiles.length + checksFailed;
  if (failed > 0) return { passed, failed };
  // No test at all, an unhandled error, or something that the tests left behind: all failures, though of no test.
  return { passed, failed: passed === 0 || exitCode !== 0 ? 1 : 0 };
}
