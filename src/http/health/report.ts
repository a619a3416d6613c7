import type { Response } from 'express';

/** What a health check found: answered with 200 when all is well, else with 503. */
export interface HealthReport {
  readonly healthy: boolean;
  readonly body: { readonly status: string; readonly [field: string]: unknown };
}

export function sendReport(res: Response, { healthy, body }: HealthReport, nowMs: number): void {
  const { status, ...rest } = body;
  const timestamp = new Date(nowMs).toISOString();
  res.status(healthy ? 200 : 503).json({ status, timestamp, ...rest });
}
