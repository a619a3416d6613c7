import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('counts and logs uploads by outcome and reason', async () => {
  const { lifecycle, lines, series } = observeLifecycle();
  lifecycle.upload({ outcome: 'stored', reason: 'stored', bytes: 10, mediaType: 'image/png' });
  lifecycle.upload({ outcome: 'aborted', reason: 'client_gone', detail: 'closed' });
  expect(await series('chat_uploads_total')).toEqual([
    'chat_uploads_total{outcome="stored",reason="stored"} 1',
    'chat_uploads_total{outcome="aborted",reason="client_gone"} 1',
  ]);
  expect(lines).toMatchObject([
    { level: 30, component: 'uploads', bytes: 10, msg: 'upload stored' },
    { level: 40, component: 'uploads', reason: 'client_gone', msg: 'upload aborted' },
  ]);
});

it('logs a sweep that removed something or could not decide, and no other', () => {
  const { lifecycle, lines } = observeLifecycle();
  const swept = { type: 'uploadsSwept', abandoned: 0, leftovers: 0, undecided: 0 } as const;
  lifecycle.sweep(swept);
  expect(lines).toEqual([]);
  lifecycle.sweep({ ...swept, undecided: 1 });
  lifecycle.sweep({ type: 'sweepFailed', error: new Error('why') });
  expect(lines).toMatchObject([
    { level: 30, component: 'uploads', undecided: 1, msg: 'uploads swept' },
    { level: 50, component: 'uploads', err: { message: 'why' }, msg: 'sweeping uploads failed' },
  ]);
});

it('keeps what the store said last while it does not answer', async () => {
  const { lifecycle, series } = observeLifecycle();
  let answers = true;
  lifecycle.watch.uploads(async () => {
    if (!answers) throw new Error('down');
    return { bytes: 5, bytesMax: 10 };
  });
  expect(await series('chat_uploads_bytes')).toEqual(['chat_uploads_bytes 5']);
  answers = false;
  expect(await series('chat_uploads_bytes')).toEqual(['chat_uploads_bytes 5']);
  expect(await series('chat_uploads_bytes_limit')).toEqual(['chat_uploads_bytes_limit 10']);
});
