import { afterEach, expect, it } from 'vitest';
import { runLag } from '../../../src/cli/commands/lag.ts';
import { runInfo, runList } from '../../../src/cli/commands/projections.ts';
import { projectionSource } from '../../../src/observability/projectionSource.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';

const LAG_SECONDS_MAX = 60;
const CONVERSATIONS = '/api/chat/conversations';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Everything was projected an hour ago; then the log and the projector were silent. */
async function afterQuietHour(): Promise<TestApi> {
  const database = await createMigratedDatabase();
  stops.push(() => database.drop());
  const api = await startTestApi({ databaseUrl: database.url, health: { lagSecondsMax: LAG_SECONDS_MAX } });
  stops.push(() => api.stop());
  await api.call('POST', CONVERSATIONS, { userId: 'alice' });
  await projectAll(api);
  await api.database.pool.query(
    "UPDATE projection_checkpoints SET stored_at = now() - interval '1 hour', lease_until = now()",
  );
  await api.logHead.ask();
  return api;
}

interface Report {
  readonly name: string;
  readonly state: string;
  readonly events: number;
  readonly seconds: number;
}

/** What each of those who report on the read models says of them. */
async function reports(api: TestApi): Promise<Record<string, readonly Report[]>> {
  const { log, database, logHead: head } = api;
  const config = { projectionLagSecondsMax: LAG_SECONDS_MAX };
  const { body } = await api.call('GET', '/health/projections');
  const lag = await runLag({ log, database }, LAG_SECONDS_MAX);
  const list = await runList({ log, database }, config);
  const infos = await Promise.all(
    body.projections.map(({ name }: { name: string }) => runInfo({ log, database }, config, name)),
  );
  const source = projectionSource({
    ...{ database, head, nowMs: Date.now },
    epoch: () => log.epoch,
    lagSecondsMax: LAG_SECONDS_MAX,
  });
  // biome-ignore lint/suspicious/noExplicitAny: what commands print is what the test is about
  const rows = (json: any): Report[] =>
    // biome-ignore lint/suspicious/noExplicitAny: see above
    json.map(({ name, projection, state, lag: behind, lagEvents, lagSeconds }: any) => ({
      ...{ name: name ?? projection, state },
      ...{ events: behind?.events ?? lagEvents, seconds: behind?.seconds ?? lagSeconds },
    }));
  return {
    health: rows(body.projections),
    metrics: rows((await source.read()).projections),
    lag: rows(lag.json),
    list: rows(list.json),
    info: rows(infos.flatMap(({ json }) => json)),
  };
}

it('health, metrics and commands agree on lag and state when the first message comes after a quiet hour', async () => {
  const api = await afterQuietHour();
  await api.call('POST', CONVERSATIONS, { userId: 'alice' });
  await api.logHead.ask();
  const { health, ...others } = await reports(api);
  const names = ['activity', 'history', 'inbox', 'search'];
  expect(health?.map(({ name }) => name)).toEqual(names);
  for (const rows of [health, ...Object.values(others)]) {
    expect(rows).toMatchObject(names.map((name) => ({ name, state: 'unattended', events: 1 })));
    for (const { seconds } of rows ?? []) expect(seconds).toBeLessThan(LAG_SECONDS_MAX);
  }
});
