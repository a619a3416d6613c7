import type { Logger } from 'pino';
import type { SignalFault } from '../../ports/signals.ts';

/** Between two lines about the same kind of fault, in milliseconds. */
const LINE_MS_MIN = 60_000;

/**
 * Log lines of messages that did not become signals: the first of each kind, then at most one line a minute with their
 * number. Lost signals are normal while NATS is away, and there are many of them.
 */
export function signalFaultLog(logger: Logger, nowMs: () => number): (fault: SignalFault) => void {
  const kinds = new Map<SignalFault['kind'], { count: number; loggedAtMs: number }>();
  return ({ kind, detail }) => {
    const seen = kinds.get(kind) ?? { count: 0, loggedAtMs: Number.NEGATIVE_INFINITY };
    kinds.set(kind, seen);
    seen.count += 1;
    if (nowMs() - seen.loggedAtMs < LINE_MS_MIN) return;
    seen.loggedAtMs = nowMs();
    logger.warn({ component: 'signals', kind, count: seen.count, detail }, 'signals dropped');
  };
}
