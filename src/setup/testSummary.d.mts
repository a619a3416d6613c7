export interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export function summary(
  report: TestReport | null,
  exitCode: number,
  checksFailed: number,
): { passed: number; failed: number };
