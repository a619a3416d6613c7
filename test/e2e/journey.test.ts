import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatClient, type SeenEvent } from '../support/edge/chatClient.ts';
import { query } from '../support/servers/postgres.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

const SAMPLE = 'test/fixtures/chat/ubuntu-irc-sample.jsonl.gz';
const SAMPLE_MESSAGES = 3_600;

let system: RunningSystem;

beforeAll(async () => {
  system = await startRunningSystem();
});

afterAll(async () => {
  await system.remove();
});

test('what clients saw live, what history returns and what the log holds are the same while an import runs', async () => {
  const conversationId = await createConversation();
  const edgeUrl = () => system.edgeUrl;
  const alice = new ChatClient(edgeUrl, 'alice');
  const bob = new ChatClient(edgeUrl, 'bob');
  await alice.connect();
  await bob.connect();
  await alice.join(conversationId);
  await bob.join(conversationId);
  const importing = system.cli('import', SAMPLE);

  for (let n = 1; n <= 20; n++) {
    await alice.send(conversationId, `a${n}`, `alice says ${n}`);
    if (n === 8) bob.drop();
    await post(conversationId, 'carol', `c${n}`, `carol says ${n} over HTTP ✓`);
    if (n === 14) {
      await bob.connect();
      await bob.join(conversationId);
    }
  }
  const other = post(conversationId, 'carol', 'c1', 'something else than the first time');
  await expect(other).rejects.toThrow('client_message_id_reused');
  const first = await post(conversationId, 'carol', 'c1', 'carol says 1 over HTTP ✓');
  expect(first).toMatchObject({ duplicate: true, message: { content: 'carol says 1 over HTTP ✓' } });
  await change('PATCH', first.message.messageId, {
    conversationId,
    userId: 'carol',
    content: 'carol means 1',
  });
  const second = await post(conversationId, 'carol', 'c2', 'carol says 2 over HTTP ✓');
  const deletion = { conversationId, userId: 'carol', seq: second.seq };
  await change('DELETE', second.message.messageId, deletion);
  expect((await importing).stdout).toContain(
    `${SAMPLE_MESSAGES} messages in 6 conversations, 0 of them there`,
  );

  // Created, 40 posted, one edited, one deleted.
  for (const client of [alice, bob]) {
    await waitFor(`${client.userId} to see all`, () => client.events.length >= 43);
    expectUnbrokenChain(client.events);
  }
  expect(bob.events).toEqual(alice.events);

  const position = `${(await health()).epoch}:${alice.lastSeq}`;
  const history = await pages(conversationId, position);
  expect(history.map(({ seq: at, content }) => ({ seq: at, content }))).toEqual(replay(alice.events));
  alice.drop();
  bob.drop();
});

test('log and read model agree after the import, and importing again adds nothing', async () => {
  const before = await system.cli('verify');
  expect(before.stdout).toMatch(/^3640 messages in 7 conversations, 0 differences/);
  expect(before.exitCode).toBe(0);
  const again = await system.cli('import', SAMPLE);
  expect(again.stdout).toContain(
    `${SAMPLE_MESSAGES} messages in 6 conversations, ${SAMPLE_MESSAGES} of them there`,
  );
  expect((await system.cli('verify')).stdout).toMatch(/^3640 messages in 7 conversations, 0 differences/);
});

test('a wiped read model is noticed, and rebuilt from the log to the same content', async () => {
  const databaseUrl = system.run().postgres?.url ?? '';
  const digest = () =>
    query(
      databaseUrl,
      'SELECT conversation_id, seq, ordinal, content, edited_at, deleted_at FROM messages ORDER BY seq',
    );
  const before = await digest();
  expect(before).toHaveLength(3_640);
  await query(databaseUrl, 'DELETE FROM history_v1.messages');
  await query(databaseUrl, 'DELETE FROM history_v1.conversations');
  await query(databaseUrl, 'DELETE FROM history_v1.participants');
  const wiped = await system.cli('verify');
  expect(wiped.exitCode).toBe(1);
  expect(wiped.stdout).toContain('7 differences');

  const rebuilt = await system.cli('projections', 'rebuild', 'history');
  expect(rebuilt).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('history version 2 is live'),
  });
  expect((await system.cli('verify')).stdout).toContain('0 differences');
  expect(await digest()).toEqual(before);
});

test('the projector goes on with the rebuilt version', async () => {
  const conversationId = await createConversation();
  const { position } = await post(conversationId, 'alice', 'x', 'after the rebuild');
  const [message] = await pages(conversationId, position);
  expect(message).toMatchObject({ content: 'after the rebuild' });
  expect((await system.cli('verify')).stdout).toMatch(/^3641 messages in 8 conversations, 0 differences/);
});

interface Posted {
  readonly message: { readonly messageId: string; readonly content: string };
  readonly seq: number;
  readonly position: string;
  readonly duplicate: boolean;
}

interface HistoryMessage {
  readonly seq: number;
  readonly content: string;
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${system.apiUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer as T;
}

async function createConversation(): Promise<string> {
  const body = { userId: 'alice', participantIds: ['bob', 'carol'], title: 'journey' };
  const { conversation } = await call<{ conversation: { id: string } }>(
    'POST',
    '/api/chat/conversations',
    body,
  );
  return conversation.id;
}

function post(
  conversationId: string,
  userId: string,
  clientMessageId: string,
  content: string,
): Promise<Posted> {
  return call('POST', '/api/chat/messages', { conversationId, userId, clientMessageId, content });
}

function change(method: string, messageId: string, body: object): Promise<unknown> {
  return call(method, `/api/chat/messages/${messageId}`, body);
}

function health(): Promise<{ epoch: string }> {
  return call('GET', '/health/stream');
}

/** The whole history of a conversation, in small pages, once the read model has reached the position. */
async function pages(conversationId: string, position: string): Promise<HistoryMessage[]> {
  const all: HistoryMessage[] = [];
  for (let more = true; more; ) {
    const after = all.at(-1)?.seq ?? 0;
    const path = `/api/chat/conversations/${conversationId}/messages?userId=alice&after=${after}&limit=7&position=${position}`;
    const page = await call<{ messages: HistoryMessage[]; hasMore: boolean }>('GET', path);
    all.push(...page.messages);
    more = page.hasMore;
  }
  return all;
}

/** What the events amount to, by the simplest code that could be right. */
function replay(events: readonly SeenEvent[]): HistoryMessage[] {
  const messages = new Map<unknown, { seq: number; content: string }>();
  for (const { seq, event } of events) {
    const known = messages.get(event.messageId);
    if (event.type === 'MessagePosted')
      messages.set(event.messageId, { seq, content: String(event.content) });
    if (event.type === 'MessageEdited' && known !== undefined) known.content = String(event.content);
    if (event.type === 'MessageDeleted' && known !== undefined) known.content = '';
  }
  return [...messages.values()];
}

function expectUnbrokenChain(events: readonly SeenEvent[]): void {
  expect(events.map(({ prev }) => prev)).toEqual([0, ...events.slice(0, -1).map(({ seq }) => seq)]);
}
