import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChatClient } from '../support/edge/chatClient.ts';
import { query, startTestPostgres } from '../support/servers/postgres.ts';
import { type RunningSystem, startRunningSystem, verified } from '../support/servers/runningSystem.ts';
import type { TestServer } from '../support/servers/testServer.ts';
import { waitFor } from '../support/time/waitFor.ts';

/**
 * What cannot be answered is refused this quickly, in milliseconds: in the middle, as the machine is full of load. Who waits
 * for a connection waits two seconds.
 */
const REFUSED_MS_MAX = 1_000;

let postgres: TestServer;
let system: RunningSystem;
let load: Load;

beforeAll(async () => {
  // One that nobody starts again by himself.
  postgres = await startTestPostgres();
  system = await startRunningSystem({ DATABASE_URL: postgres.url, LOG_LEVEL: 'error' });
  load = await Load.start();
});
afterAll(async () => {
  await load?.stop();
  load?.listener.drop();
  await system.remove();
  await postgres.stop();
});

interface Seen {
  readonly status: number;
  readonly ms: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests are about
  readonly body: any;
  readonly headers: Headers;
}

async function call(method: string, path: string, body?: unknown): Promise<Seen> {
  const startedMs = performance.now();
  const response = await fetch(`${system.apiUrl}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const answer = await response.json();
  return {
    status: response.status,
    ms: performance.now() - startedMs,
    body: answer,
    headers: response.headers,
  };
}

/** People who talk all the time, over HTTP and sockets, and one who listens. Every answer must be that it was accepted. */
class Load {
  readonly conversationId: string;
  readonly listener: ChatClient;
  readonly acked: number[] = [];
  readonly refused: unknown[] = [];
  #talking: Promise<unknown> = Promise.resolve();
  #over = false;
  #said = 0;

  private constructor(conversationId: string, listener: ChatClient) {
    this.conversationId = conversationId;
    this.listener = listener;
  }

  static async start(): Promise<Load> {
    const created = await call('POST', '/api/chat/conversations', { userId: 'alice', visibility: 'open' });
    const listener = new ChatClient(() => system.edgeUrl, 'bob');
    await listener.connect();
    const started = new Load(created.body.conversation.id, listener);
    await listener.join(started.conversationId);
    started.#talking = Promise.all([started.#talk(), started.#talk(), started.#talkOnSocket()]);
    return started;
  }

  /** Ends the talking; the listener goes on listening. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#talking;
  }

  async #talk(): Promise<void> {
    while (!this.#over) {
      const { status, body } = await call('POST', '/api/chat/messages', this.#message('alice'));
      if (status === 201) this.acked.push(body.seq);
      else this.refused.push(body);
    }
  }

  async #talkOnSocket(): Promise<void> {
    const client = new ChatClient(() => system.edgeUrl, 'carol');
    await client.connect();
    while (!this.#over) {
      const { clientMessageId, content } = this.#message('carol');
      const answer = await client.send(this.conversationId, clientMessageId, content);
      if (answer.op === 'ack') this.acked.push(Number(answer.seq));
      else this.refused.push(answer);
    }
    client.drop();
  }

  #message(userId: string) {
    this.#said += 1;
    const { conversationId } = this;
    return { conversationId, userId, clientMessageId: `k${this.#said}`, content: `message ${this.#said}` };
  }
}

const list = () => call('GET', '/api/chat/conversations?userId=alice');
const history = (position?: string) => {
  const at = position === undefined ? '' : `&position=${position}`;
  return call('GET', `/api/chat/conversations/${load.conversationId}/messages?userId=alice&limit=50${at}`);
};

/** Sending, live delivery, new conversations and membership: with the database or without. */
async function expectTheLogsPart(): Promise<void> {
  const created = await call('POST', '/api/chat/conversations', { userId: 'dave', title: 'without' });
  expect(created.status).toBe(201);
  const path = `/api/chat/conversations/${created.body.conversation.id}`;
  expect((await call('GET', `${path}?userId=dave`)).body.conversation.title).toBe('without');
  expect((await call('GET', `${path}?userId=eve`)).status).toBe(404);
  const message = { conversationId: load.conversationId, userId: 'dave', content: 'still here' };
  const posted = await call('POST', '/api/chat/messages', message);
  expect([posted.status, posted.body.level]).toEqual([201, 'accepted']);
  await waitFor('it to come live', () => load.listener.lastSeq >= posted.body.seq);
  const read = await history(posted.body.position);
  expect([read.status, read.body.source, read.body.messages.length]).toEqual([200, 'log', 50]);
  expect(read.body.messages.some(({ seq }: { seq: number }) => seq === posted.body.seq)).toBe(true);
}

/** What cannot be answered says so, at once, and when to come again. */
async function expectQuickRefusals(): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < 40; n++) {
    const path = n % 2 === 0 ? 'conversations?userId=alice' : 'search?userId=alice&q=message';
    const { status, body, headers, ms } = await call('GET', `/api/chat/${path}`);
    expect([status, body.code, body.retryable]).toEqual([503, 'database_unavailable', true]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    times.push(ms);
  }
  times.sort((a, b) => a - b);
  expect(times[times.length / 2]).toBeLessThan(REFUSED_MS_MAX);
}

describe.each([
  ['stopped', () => process.kill(postgres.pid, 'SIGINT')],
  ['killed', () => postgres.kill9()],
])('while Postgres is %s under load', (_how, takeAway) => {
  test('the log answers for it, the rest is refused at once, and all of it heals by itself', async () => {
    await waitFor('the history to be read', async () => (await history()).body.source === 'database');
    await waitFor('a page of messages', () => load.acked.length >= 50);
    await takeAway();
    await waitFor('it to be gone', async () => (await list()).status === 503);
    await expectTheLogsPart();
    await expectQuickRefusals();
    await expectTheLogsPart();
    const health = await call('GET', '/health/database');
    expect([health.status, health.body.database]).toEqual([503, 'Disconnected']);
    expect((await call('GET', '/health')).status).toBe(200);
    await postgres.restart();
    await waitFor('lists to be there again', async () => (await list()).status === 200, {
      timeoutMs: 300_000,
    });
    const caughtUp = async () => {
      const { body } = await history();
      return body.source === 'database' && body.lag.seconds < 5;
    };
    await waitFor('the history to catch up', caughtUp);
    expect(load.refused).toEqual([]);
  });
});

test('not a message of all that were acknowledged is missing, doubled or out of order, live or in the history', async () => {
  await load.stop();
  const last = Math.max(...load.acked);
  await waitFor('all to come live', () => load.listener.lastSeq >= last);
  expect(await verified(system)).toMatch(/, 0 differences/);
  const sql = `SELECT seq::int FROM messages WHERE conversation_id = '${load.conversationId}' ORDER BY ordinal`;
  const written = (await query(postgres.url, sql)).map(({ seq }) => Number(seq));
  expect(written).toEqual([...written].sort((a, b) => a - b));
  expect(new Set(written).size).toBe(written.length);
  expect(load.acked.filter((seq) => !written.includes(seq))).toEqual([]);
  const live = load.listener.events
    .filter(({ event }) => event.type === 'MessagePosted')
    .map(({ seq }) => seq);
  expect(live).toEqual(written);
  for (const [index, { prev }] of load.listener.events.entries()) {
    expect(prev).toBe(load.listener.events[index - 1]?.seq ?? 0);
  }
});
