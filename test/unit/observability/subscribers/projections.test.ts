import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

const history = {
  projection: 'history',
  lagEvents: 3,
  lagSeconds: 1.5,
  state: 'lagging',
  parkedConversations: 2,
};
const audit = { unaccounted: 4, conversations: 1, lastPassAtMs: 5_000 };

it('shows every state of a read model, 1 for the one it is in', async () => {
  const { lifecycle, series } = observeLifecycle();
  lifecycle.watch.projections({
    states: ['live', 'lagging'],
    read: async () => ({ projections: [history], audit }),
  });
  expect(await series('chat_projection_state')).toEqual([
    'chat_projection_state{projection="history",state="live"} 0',
    'chat_projection_state{projection="history",state="lagging"} 1',
  ]);
  expect(await series('chat_projection_lag_seconds')).toEqual([
    'chat_projection_lag_seconds{projection="history"} 1.5',
  ]);
  expect(await series('chat_audit_last_pass_timestamp_seconds')).toEqual([
    'chat_audit_last_pass_timestamp_seconds 5',
  ]);
});

it('keeps what was read last while the database does not answer, and says that it does', async () => {
  const { lifecycle, series } = observeLifecycle();
  let answers = true;
  const read = async () => {
    if (!answers) throw new Error('down');
    return { projections: [history], audit };
  };
  lifecycle.watch.projections({ states: ['live', 'lagging'], read });
  expect(await series('chat_projection_status_readable')).toEqual(['chat_projection_status_readable 1']);
  answers = false;
  expect(await series('chat_projection_status_readable')).toEqual(['chat_projection_status_readable 0']);
  expect(await series('chat_projection_lag_events')).toEqual([
    'chat_projection_lag_events{projection="history"} 3',
  ]);
  expect(await series('chat_messages_unaccounted')).toEqual(['chat_messages_unaccounted 4']);
});

it('says nothing of read models in a process that does not read them', async () => {
  const { metrics } = observeLifecycle();
  expect(await metrics.text()).not.toMatch(/chat_projection_|chat_messages_unaccounted|chat_audit_/);
});

it('logs a failure that passes as an error and one that does not as fatal, with the error itself', () => {
  const { lifecycle, lines } = observeLifecycle();
  const fail = (trigger: 'failed' | 'unrecoverable') =>
    lifecycle.projection({
      type: 'projectionFailed',
      projection: 'history',
      trigger,
      error: new Error('why'),
    });
  fail('failed');
  fail('unrecoverable');
  lifecycle.upkeep({ type: 'upkeepFailed', projection: 'history', error: new Error('why') });
  expect(lines).toMatchObject([
    { level: 50, component: 'projection', err: { message: 'why' }, msg: 'projection failed' },
    { level: 60, component: 'projection', err: { message: 'why' }, msg: 'projection failed' },
    { level: 50, component: 'projection', err: { message: 'why' }, msg: 'upkeep of a read model failed' },
  ]);
});
