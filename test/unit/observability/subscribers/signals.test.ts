import { expect, it } from 'vitest';
import { signalFaultLog } from '../../../../src/observability/subscribers/signals.ts';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('logs the first fault of each kind, then at most one line a minute that counts them', () => {
  const { logger, lines } = observeLifecycle();
  let nowMs = 0;
  const onFault = signalFaultLog(logger, () => nowMs);
  for (let i = 0; i < 5; i++) onFault({ kind: 'malformed', detail: 'x' });
  onFault({ kind: 'notSent', detail: 'y' });
  nowMs = 59_999;
  onFault({ kind: 'malformed', detail: 'x' });
  nowMs = 60_000;
  onFault({ kind: 'malformed', detail: 'z' });
  expect(lines).toMatchObject([
    { kind: 'malformed', count: 1, msg: 'signals dropped' },
    { kind: 'notSent', count: 1 },
    { kind: 'malformed', count: 7, detail: 'z' },
  ]);
});
