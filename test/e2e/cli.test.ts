import { readFileSync } from 'node:fs';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatHttp } from '../../client/src/chatHttp.ts';
import { eventSubject } from '../../src/contracts/events/subjects.ts';
import { startTestNats } from '../support/servers/nats.ts';
import {
  exitCode,
  launch,
  type RunningSystem,
  startRunningSystem,
} from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

const SAMPLE = 'test/fixtures/chat/ubuntu-irc-sample.jsonl.gz';
const MODELS = ['activity', 'history', 'inbox', 'search'];

let system: RunningSystem;
let http: ChatHttp;
let conversationId: string;

beforeAll(async () => {
  system = await startRunningSystem();
  http = new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  conversationId = (await http.createConversation({ title: 'Tea' })).conversation.id;
  const imported = await system.cli('import', SAMPLE, '--json');
  expect(JSON.parse(imported.stdout)).toMatchObject({ messages: 3_600, alreadyThere: 0, conversations: 6 });
  // Nothing but the answer, where there is no terminal.
  expect(imported.stderr).toBe('');
});
afterAll(async () => {
  await system.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: what commands print is what the tests are about
async function json(...args: string[]): Promise<any> {
  const { stdout, stderr, exitCode } = await system.cli(...args, '--json');
  if (exitCode === null || exitCode > 1) throw new Error(stderr);
  return JSON.parse(stdout);
}

// biome-ignore lint/suspicious/noExplicitAny: see above
const names = (rows: any[]) => rows.map(({ projection }) => projection);

async function untilLive(): Promise<void> {
  await waitFor('all read models to be live', async () => {
    const lines = await json('lag');
    return lines.every(({ state, lagEvents }: { state: string; lagEvents: number }) => {
      return state === 'live' && lagEvents === 0;
    });
  });
}

test('lag tells how far each read model is, once or again and again', async () => {
  await untilLive();
  const text = await system.cli('lag');
  expect(text.stdout).toMatch(/^PROJECTION +VERSION +STATE/);
  for (const model of MODELS)
    expect(text.stdout).toMatch(new RegExp(`^${model} +v1 +live +\\d+ +\\d+ +0 `, 'm'));
  const watched = await system.cli('lag', '--watch', '--times', '2', '--every', '0.2', '--json');
  const polls = watched.stdout.split('\n').map((line) => JSON.parse(line));
  expect(polls.map(names)).toEqual([MODELS, MODELS]);
  expect([polls[0][0].eventsPerSecond, polls[1][0].eventsPerSecond]).toEqual([null, 0]);
});

test('a read model is paused and resumed', async () => {
  await untilLive();
  expect((await system.cli('projections', 'pause', 'search')).exitCode).toBe(0);
  const stateOf = async (name: string) => {
    const rows = await json('projections', 'list');
    return rows.find(({ projection }: { projection: string }) => projection === name);
  };
  await waitFor('the workers to rest', async () => {
    const { state, groups } = await stateOf('search');
    return state === 'paused' && groups.every(({ owner }: { owner: string | null }) => owner === null);
  });
  const { seq } = await http.send(conversationId, 'while it rests', { level: 'durable' });
  expect(await stateOf('search')).toMatchObject({ state: 'paused', lag: { events: 1 } });
  expect((await stateOf('history')).checkpoint).toBe(seq);
  expect((await system.cli('projections', 'resume', 'search')).exitCode).toBe(0);
  await untilLive();
});

test('a message, and all that a user said, is erased when it is confirmed, and audited, without the database', async () => {
  const carol = new ChatHttp({ url: system.apiUrl, userId: 'carol' });
  const room = (await carol.createConversation({ title: 'Closed' })).conversation.id;
  const { messageId } = (await carol.send(room, 'the first secret')).message;
  await carol.send(room, 'the second secret');
  const databaseless = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const erase = (...args: string[]) => system.cliWith(databaseless, 'erase', ...args, '--json');
  const said = async () =>
    (await system.cli('events', 'tail', '--conversation', room, '--from', '1', '--no-follow', '--json'))
      .stdout;
  const asked = await erase('--message', messageId);
  expect([asked.exitCode, JSON.parse(asked.stdout)]).toMatchObject([
    1,
    { messageId, conversationId: room, userId: 'carol', confirmed: false },
  ]);
  expect(await said()).toContain('the first secret');
  const one = await erase('--message', messageId, '--reason', 'asked by mail', '--yes');
  expect([one.exitCode, JSON.parse(one.stdout)]).toMatchObject([0, { messageId, erased: 1 }]);
  expect(await said()).not.toContain('the first secret');
  expect((await erase('--message', messageId, '--yes')).exitCode).toBe(3);
  const all = await erase('--user', 'carol', '--yes');
  expect(JSON.parse(all.stdout)).toMatchObject({ conversations: 1, messages: 1, events: 1 });
  expect(await said()).not.toContain('secret');
  const lines = readFileSync(`${system.dataDir}/audit.log`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { audit: true, action: 'erase', outcome: 'begun', messageId, reason: 'asked by mail' },
    { outcome: 'done', messageId, result: { erased: 1 } },
    { outcome: 'begun', userId: 'carol', reason: null },
    { outcome: 'done', userId: 'carol', result: { messages: 1 } },
  ]);
  for (const wrong of [[], ['--user', 'a', '--message', messageId], ['--user', 'a', '--conversation', room]])
    expect((await system.cli('erase', ...wrong)).exitCode).toBe(2);
});

test('info tells versions, groups and workers', async () => {
  const [history] = await json('projections', 'info', 'history');
  expect(history).toMatchObject({ projection: 'history', version: 1, state: 'live', parkedConversations: 0 });
  expect(history.groups).toHaveLength(4);
  expect(history.workers).toMatchObject([{ state: 'live', reason: null }]);
  expect((await system.cli('projections', 'info', 'history')).stdout).toMatch(
    /GROUP +CHECKPOINT +WORKER\n0 +\d+ +\S+:\d+:/,
  );
});

test('rebuilds are compared, and switched to when that is wanted', async () => {
  await untilLive();
  const dry = await json('projections', 'rebuild', 'all', '--dry-run');
  expect(
    dry.map(({ switched, version, different }: object & Record<string, unknown>) => [
      switched,
      version,
      different,
    ]),
  ).toEqual(MODELS.map(() => [false, 2, []]));
  expect(dry.every(({ compared }: { compared: number }) => compared > 0)).toBe(true);
  const rebuilt = await system.cli(
    'projections',
    'rebuild',
    'inbox',
    '--require-equal',
    '--max-rate',
    '100000',
  );
  expect(rebuilt.stdout).toMatch(/^inbox version 2 is live; \d+ events in .* 0 of [1-9]\d* differ/);
  const [part] = await json('projections', 'rebuild', 'history', '--from', '3000', '--require-equal');
  expect(part).toMatchObject({ projection: 'history', switched: true, different: [] });
  expect(part.events).toBeLessThan(1_000);
  const cannot = await system.cli('projections', 'rebuild', 'activity', '--from', '3000');
  expect(cannot).toMatchObject({
    exitCode: 4,
    stdout: '',
    stderr: expect.stringMatching(/cannot be built from event 3000/),
  });
  expect((await system.cli('verify')).exitCode).toBe(0);
});

test('the log can be looked into', async () => {
  const posted = await http.send(conversationId, 'look at this');
  const tail = ['events', 'tail', '--no-follow', '--conversation', conversationId];
  const all = await system.cli(...tail, '--from', '1');
  expect(all.stdout.split('\n')[0]).toMatch(
    new RegExp(`^1 +\\S+ +${conversationId} +ConversationCreated +alice +Tea$`),
  );
  expect(all.stdout).toContain('look at this');
  const chosen = await system.cli(
    ...tail,
    '--from',
    '2',
    '--type',
    'MessagePosted',
    '--limit',
    '1',
    '--json',
  );
  expect(JSON.parse(chosen.stdout)).toMatchObject({
    event: { type: 'MessagePosted', content: 'while it rests' },
  });
  expect(await json('events', 'show', `${posted.seq}`)).toMatchObject({
    seq: posted.seq,
    event: { content: 'look at this' },
  });
  const none = await system.cli('events', 'show', '999999');
  expect(none).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/no event 999999.*from 1 to/) });
  expect((await system.cli(...tail, '--user', 'nobody', '--from', '1')).stdout).toBe('');
});

test('a damaged event makes its conversation wait aside, visibly, and everybody else goes on', async () => {
  await untilLive();
  const connection = await connect({ servers: system.run().nats?.url ?? '' });
  const subject = eventSubject(conversationId, 'message');
  const { seq } = await connection.jetstream().publish(subject, 'no JSON', { msgID: 'damaged' });
  await connection.close();
  await waitFor(
    'all read models to park it',
    async () => (await json('parked', 'list')).length === MODELS.length,
  );
  expect(await json('parked', 'list', 'inbox')).toMatchObject([
    { projection: 'inbox', conversationId, seq, attempts: 1 },
  ]);
  const shown = await system.cli('parked', 'show', 'history', conversationId);
  expect(shown.stdout).toMatch(new RegExp(`Event ${seq}.*parked retry history ${conversationId}`));
  expect(shown.stdout).toContain(Buffer.from('no JSON').toString('base64'));
  const retried = await system.cli('parked', 'retry', 'history', conversationId);
  expect(retried).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^0 of 1 conversations .* still wait/),
  });
  const unknown = await system.cli('parked', 'show', 'history', 'c_aaaaaaaaaaaaaaaaaaaaa');
  expect(unknown).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('does not wait in history') });

  const other = (await http.createConversation()).conversation.id;
  expect(await http.send(other, 'flows', { level: 'durable' })).toMatchObject({ level: 'durable' });
  expect(await http.send(conversationId, 'waits', { level: 'durable' })).toMatchObject({ level: 'accepted' });
  const health = await (await fetch(`${system.apiUrl}/health/projections`)).json();
  expect(health).toMatchObject({
    status: 'OK',
    projections: MODELS.map((name) => ({ name, parkedConversations: 1 })),
  });
  const metrics = await (await fetch(`${system.apiUrl}/metrics`)).text();
  for (const model of MODELS) {
    expect(metrics).toContain(`chat_projection_parked_conversations{projection="${model}"} 1`);
    expect(metrics).toContain(`chat_projection_state{projection="${model}",state="live"} 1`);
    expect(metrics).toContain(`chat_projection_lag_events{projection="${model}"}`);
  }
  expect(metrics).toMatch(/^chat_messages_unaccounted 0$/m);
  const verified = await system.cli('verify');
  expect(verified).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/, 0 differences.*\n1 conversations wait aside/),
  });
});

test.each([
  [['projections', 'rebuild', 'nonsense'], /Allowed choices are/],
  [['events', 'show', 'x'], /whole number/],
  [['parked', 'show', 'history', 'c_*'], /conversation id/],
  [['--nonsense'], /unknown option/],
])('a wrong command line ends with 2 and says why: %s', async (args, reason) => {
  expect(await system.cli(...args)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(reason),
  });
});

test('a command leaves the size of the streams alone, whatever its own settings are', async () => {
  const nats = await connect({ servers: system.run().nats?.url ?? '' });
  const manager = await nats.jetstreamManager();
  const size = async () => (await manager.streams.info('CHAT_EVENTS')).config.max_bytes;
  const before = await size();
  const other = {
    ...process.env,
    STREAM_MAX_BYTES: '1GB',
    UPLOADS_MAX_BYTES: '64MB',
    CHAT_DATA_DIR: system.dataDir,
  };
  const { child } = launch(other, 'src/cli/chat-backend.mjs', ['lag']);
  expect(await exitCode(child)).toBe(0);
  expect(await size()).toBe(before);
  await nats.close();
});

test('a server without the streams is named as one where no system ran, and the command ends', async () => {
  const server = await startTestNats();
  const settings = { ...process.env, NATS_URL: server.url, DATABASE_URL: system.run().postgres?.url };
  const { child, output } = launch(settings, 'src/cli/chat-backend.mjs', ['lag']);
  expect(await exitCode(child)).toBe(3);
  expect(output()).toMatch(/There is no stream CHAT_EVENTS at this nats-server/);
  await server.stop();
});
