import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('logs the server’s pid beside this process’s own, and no password', () => {
  const { lifecycle, lines } = observeLifecycle();
  lifecycle.server({
    ...{ type: 'serverStarted', server: 'postgres', pid: 4_711, attempt: 1 },
    url: 'postgresql://chat:secret@127.0.0.1:5432/chat',
  });
  expect(lines).toMatchObject([
    {
      ...{ level: 30, component: 'embedded', server: 'postgres', serverPid: 4_711, pid: process.pid },
      ...{ url: 'postgresql://127.0.0.1:5432/chat', msg: 'serverStarted' },
    },
  ]);
});

it('warns of a server that died and of its restart', () => {
  const { lifecycle, lines } = observeLifecycle();
  const server = 'nats';
  lifecycle.server({ type: 'serverDied', server, pid: 1, reason: 'signal SIGKILL' });
  lifecycle.server({ type: 'serverRestarting', server, attempt: 1, delayMs: 200, reason: 'signal SIGKILL' });
  lifecycle.server({ type: 'serverStopped', server });
  expect(lines.map(({ level }) => level)).toEqual([40, 40, 30]);
});
