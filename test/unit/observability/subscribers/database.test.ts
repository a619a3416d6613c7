import { expect, it } from 'vitest';
import { observeLifecycle } from '../../../support/observability/observedLifecycle.ts';

it('logs "slow query" with its name and nothing of what was asked, from the threshold on', () => {
  const { lines, lifecycle } = observeLifecycle();
  const { onQuery } = lifecycle.database('replica');
  onQuery({ operation: 'readMessages', durationMs: 199.9, outcome: 'answered' });
  onQuery({ operation: 'searchMessages', durationMs: 200.4, outcome: 'failed' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ msg: 'slow query', operation: 'searchMessages', durationMs: 200 });
  expect(lines[0]).toMatchObject({ database: 'replica', outcome: 'failed', level: 40 });
});

it('measures queries by database and operation, the pools, and the breakers by what is behind them', async () => {
  const { metrics, lifecycle } = observeLifecycle();
  lifecycle.database('primary').onQuery({ operation: 'readMessages', durationMs: 3, outcome: 'answered' });
  lifecycle.database('projector').onBreaker('open');
  lifecycle.watch.pool('primary', { totalCount: 5, idleCount: 3, waitingCount: 7 });
  lifecycle.watch.replica({ state: 'behind', lagSeconds: 12.5 });
  const text = await metrics.text();
  const labels = 'database="primary",operation="readMessages",outcome="answered"';
  expect(text).toContain(`chat_db_query_duration_seconds_bucket{le="0.005",${labels}} 1`);
  expect(text).toContain(`chat_db_query_duration_seconds_bucket{le="0.0025",${labels}} 0`);
  expect(text).toContain('chat_db_pool_connections{database="primary",state="active"} 2');
  expect(text).toContain('chat_db_pool_connections{database="primary",state="idle"} 3');
  expect(text).toContain('chat_db_pool_waiting_requests{database="primary"} 7');
  expect(text).toContain('chat_breaker_state{dependency="postgres_projector"} 2');
  expect(text).toContain('chat_db_replica_usable 0');
  expect(text).toContain('chat_db_replica_lag_seconds 12.5');
});

it('a breaker is a number that an alert can compare', async () => {
  const { lifecycle, series } = observeLifecycle();
  const { onBreaker } = lifecycle.database('primary');
  for (const state of ['closed', 'halfOpen', 'open'] as const) {
    onBreaker(state);
    expect(await series('chat_breaker_state')).toContain(
      `chat_breaker_state{dependency="postgres"} ${['closed', 'halfOpen', 'open'].indexOf(state)}`,
    );
  }
});
