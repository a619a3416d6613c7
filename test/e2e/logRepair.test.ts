import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatHttp } from '../../client/src/chatHttp.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startRunningSystem();
});
afterAll(() => system.remove());

/** What an operator does after a restart that found an older log than the history knows: the runbook, word for word. */
test('a log that came back without its tail is noticed, repaired and proven equal', async () => {
  const open = () => new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  const store = join(system.dataDir, 'nats');
  const copy = join(system.dataDir, 'copy');
  const { id } = (await open().createConversation({ title: 'Tea' })).conversation;
  await open().send(id, 'kept', { level: 'durable' });
  expect((await system.cli('log', 'repair', '--dry-run')).stdout).toMatch(/nothing was lost/);
  await system.stop();
  cpSync(store, copy, { recursive: true });
  await system.start();
  for (let n = 0; n < 3; n++) await open().send(id, `lost ${n}`, { level: 'durable' });
  await system.stop();

  rmSync(store, { recursive: true });
  cpSync(copy, store, { recursive: true });
  await system.start();
  // Nobody is kept from talking meanwhile.
  await open().send(id, 'since');
  await waitFor('the projector to say so', async () => {
    const { stdout } = await system.cli('projections', 'info', 'history');
    return /halted .*chat-backend log repair --dry-run/.test(stdout);
  });
  const refused = await system.cli('projections', 'rebuild', 'history');
  expect(refused).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/3 messages for good.* --accept-loss=3-messages/),
  });
  const guessed = await system.cli('projections', 'rebuild', 'history', '--accept-loss=1-messages');
  expect(guessed).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/does not say what would be lost: 3 messages/),
  });
  const compared = await system.cli('verify');
  expect(compared.stderr).toMatch(/chat-backend log repair --dry-run/);
  const dry = await system.cli('log', 'repair', '--dry-run');
  expect(dry.exitCode).toBe(1);
  expect(dry.stdout).toBe(
    'The log has lost its tail. 3 events in 1 conversations would be appended\n  3 MessagePosted',
  );
  const repaired = await system.cli('log', 'repair');
  expect(repaired, repaired.stderr).toMatchObject({ exitCode: 0 });
  expect(repaired.stdout).toMatch(
    /3 events in 1 conversations were appended\n {2}3 MessagePosted\nhistory version 2 is live/,
  );
  const verified = await system.cli('verify');
  expect(verified.stdout).toMatch(/^5 messages in 1 conversations, 0 differences/);
  expect(verified.exitCode).toBe(0);
  const { messages } = await open().history(id);
  expect(messages.map(({ content }) => content)).toEqual(['kept', 'since', 'lost 0', 'lost 1', 'lost 2']);
  await waitFor('all read models to be live', async () => {
    const { stdout } = await system.cli('lag', '--json');
    return JSON.parse(stdout).every(({ state }: { state: string }) => state === 'live');
  });
});

/**
 * What two power cuts do that are close together: the second takes the log's tail, and also its description, which the
 * first repair had renewed. It must not pass for another log: the history holds the only copy.
 */
test('a second loss, which took the log back to its first description, is repaired as the first was', async () => {
  const open = () => new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  const { conversations } = await open().listConversations();
  const id = conversations[0]?.id ?? '';
  await open().send(id, 'after the repair', { level: 'durable' });
  await goBackTo('copy');
  const health = await fetch(`${system.apiUrl}/health/projections`);
  expect(health.status).toBe(503);
  expect(system.output()).toContain('see chat-backend log repair --dry-run');
  await open().send(id, 'since the second loss');
  const dry = await system.cli('log', 'repair', '--dry-run');
  expect(dry.stdout).toMatch(/^The log has lost its tail\. 5 events/);
  const refused = await system.cli('projections', 'rebuild', 'all');
  expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringMatching(/chat-backend log repair/) });
  const repaired = await system.cli('log', 'repair');
  expect(repaired, repaired.stderr).toMatchObject({ exitCode: 0 });
  expect((await system.cli('verify')).stdout).toMatch(/^7 messages in 1 conversations, 0 differences/);
});

test('a log that was made anew, and holds nothing, is filled again from the history', async () => {
  const open = () => new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  await goBackTo('nothing');
  const { stdout, exitCode } = await system.cli('log', 'repair', '--dry-run');
  expect(stdout).toMatch(/^The log has lost its tail\. 8 events in 1 conversations would be appended/);
  expect(exitCode).toBe(1);
  const repaired = await system.cli('log', 'repair');
  expect(repaired, repaired.stderr).toMatchObject({ exitCode: 0 });
  expect((await system.cli('verify')).stdout).toMatch(/^7 messages in 1 conversations, 0 differences/);
  const [conversation] = (await open().listConversations()).conversations;
  const { messages } = await open().history(conversation?.id ?? '');
  expect(messages.map(({ content }) => content)).toContain('since the second loss');
});

/** Stops everything, puts an older store in the log's place, or none, and starts again. */
async function goBackTo(which: 'copy' | 'nothing'): Promise<void> {
  await system.stop();
  const store = join(system.dataDir, 'nats');
  rmSync(store, { recursive: true });
  if (which === 'copy') cpSync(join(system.dataDir, 'copy'), store, { recursive: true });
  await system.start();
}
