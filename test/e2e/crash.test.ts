import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatClient } from '../support/edge/chatClient.ts';
import {
  exitCode,
  launch,
  type RunningSystem,
  startRunningSystem,
  verified,
} from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

const SAMPLE = 'test/fixtures/chat/ubuntu-irc-sample.jsonl.gz';
const COMPLETE = /^3600 messages in 6 conversations, 0 differences/;

let system: RunningSystem;

beforeAll(async () => {
  system = await startRunningSystem();
});

afterAll(async () => {
  await system.remove();
});

/** Kills a part as soon as the import has put some messages into the log. */
async function killDuringImport(kill: () => void): Promise<void> {
  const before = await lastSeq();
  const env = { ...process.env, CHAT_DATA_DIR: system.dataDir };
  const importing = launch(env, 'src/cli/chat-backend.mjs', ['import', SAMPLE]);
  await waitFor(
    'the import to begin or to be over',
    async () => importing.child.exitCode !== null || (await lastSeq()) > before + 50,
    { timeoutMs: 300_000, everyMs: 2 },
  );
  kill();
  importing.child.kill('SIGKILL');
  await exitCode(importing.child);
}

async function lastSeq(): Promise<number> {
  const response = await fetch(`${system.apiUrl}/health/stream`);
  return ((await response.json()) as { lastSeq: number }).lastSeq;
}

async function createConversation(): Promise<string> {
  const response = await fetch(`${system.apiUrl}/api/chat/conversations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'alice' }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { conversation: { id: string } }).conversation.id;
}

/** The same import again, until it gets through, and then not a message more or less than there should be. */
async function expectComplete(): Promise<void> {
  await waitFor(
    'the import to get through',
    async () => (await system.cli('import', SAMPLE)).exitCode === 0,
    {
      timeoutMs: 300_000,
    },
  );
  expect(await verified(system)).toMatch(COMPLETE);
}

test('nothing is lost or doubled when nats-server is killed during an import', async () => {
  const pid = system.run().nats?.pid ?? 0;
  await killDuringImport(() => process.kill(pid, 'SIGKILL'));
  await expectComplete();
  expect(system.run().nats?.pid).not.toBe(pid);
});

test('nothing is lost or doubled when Postgres is killed, and sending goes on without it', async () => {
  const pid = system.run().postgres?.pid ?? 0;
  const client = new ChatClient(() => system.edgeUrl, 'alice');
  await client.connect();
  process.kill(pid, 'SIGSTOP');
  const conversationId = await createConversation();
  await client.join(conversationId);
  const ack = await client.send(conversationId, 'k', 'nobody is writing this down yet');
  expect(ack).toMatchObject({ op: 'ack', level: 'accepted' });
  await waitFor('the message to come live', () => client.lastSeq === ack.seq);
  client.drop();
  await killDuringImport(() => process.kill(pid, 'SIGKILL'));
  await waitFor('the import to get through', async () => (await system.cli('import', SAMPLE)).exitCode === 0);
  expect(await verified(system)).toMatch(/^3601 messages in 7 conversations, 0 differences/);
});

test('what was acknowledged before the app was killed is there exactly once, and a restart goes on', async () => {
  const client = new ChatClient(() => system.edgeUrl, 'alice');
  await client.connect();
  const conversationId = await createConversation();
  const acked: unknown[] = [];
  for (let n = 0; n < 30; n++) acked.push((await client.send(conversationId, `k${n}`, `message ${n}`)).seq);
  await killDuringImport(() => system.app.kill('SIGKILL'));
  await exitCode(system.app);
  await system.start();
  // The client does not know whether the last ones arrived: it sends them again.
  await client.connect();
  for (let n = 0; n < 30; n++) {
    const again = await client.send(conversationId, `k${n}`, `message ${n}`);
    expect(again).toMatchObject({ seq: acked[n], duplicate: true });
  }
  client.drop();
  await waitFor('the import to get through', async () => (await system.cli('import', SAMPLE)).exitCode === 0);
  const verified = await system.cli('verify');
  expect(verified.stdout).toMatch(/^3631 messages in 8 conversations, 0 differences/);
});
