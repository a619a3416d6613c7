import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatClient } from '../support/edge/chatClient.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

/**
 * What the app may hold more than before, with clients that keep sending into a log that is away: the 64 MB of
 * PUBLISH_QUEUE_BYTES_MAX, once as messages and once in the connection's buffers, and as much again for the rest.
 */
const GROWTH_BYTES_MAX = 256 * 1_024 ** 2;
const FROZEN_MS = 5_000;

let system: RunningSystem;

beforeAll(async () => {
  system = await startRunningSystem();
});

afterAll(async () => {
  await system.remove();
});

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${system.apiUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

interface Attempt {
  /** 201 or 200 stored, 503 certainly not, 504 unknown. */
  readonly status: number;
  readonly seq: number;
}

/** One who sends one message after the other, each until it is acknowledged, under the same key. */
class Sender {
  /** Keys in the order in which they were acknowledged, with their places in the log. */
  readonly acked: { key: string; seq: number }[] = [];
  readonly refusedMs: number[] = [];
  readonly slowestMs: number[] = [];
  unknown = 0;
  readonly #name: string;
  readonly #send: (key: string) => Promise<Attempt>;

  constructor(name: string, send: (key: string) => Promise<Attempt>) {
    this.#name = name;
    this.#send = send;
  }

  async run(until: () => boolean): Promise<void> {
    for (let n = 0; !until(); n++) {
      const key = `${this.#name}-${n}`;
      for (let seq = 0; seq === 0; ) {
        seq = await this.#attempt(key);
        if (seq === 0) await delay(50);
        else this.acked.push({ key, seq });
      }
    }
  }

  async #attempt(key: string): Promise<number> {
    const startedMs = performance.now();
    const { status, seq } = await this.#send(key);
    const tookMs = performance.now() - startedMs;
    this.slowestMs.push(tookMs);
    if (status === 503) this.refusedMs.push(tookMs);
    else if (status === 504) this.unknown += 1;
    else expect([200, 201], `${key}: ${status}`).toContain(status);
    return seq;
  }
}

function httpSender(name: string, conversationId: string): Sender {
  return new Sender(name, async (key) => {
    const message = {
      conversationId,
      userId: name,
      content: `${key} ${'x'.repeat(4_000)}`,
      clientMessageId: key,
    };
    const { status, body } = await call('POST', '/api/chat/messages', message);
    return { status, seq: (body as { seq?: number }).seq ?? 0 };
  });
}

function socketSender(client: ChatClient, conversationId: string): Sender {
  const statuses = new Map([
    ['log_unavailable', 503],
    ['overloaded', 503],
    ['unknown_outcome', 504],
  ]);
  return new Sender(client.userId, async (key) => {
    const content = `${key} ${'x'.repeat(4_000)}`;
    const request = { op: 'send', conversationId, clientMessageId: key, content };
    const answer = await client.request(request);
    if (answer.op === 'ack') return { status: 201, seq: Number(answer.seq) };
    return { status: statuses.get(String(answer.code)) ?? 500, seq: 0 };
  });
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${system.run().app?.pid ?? 0}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
}

/** The whole history, by its keys, which each message begins with. */
async function historyOf(conversationId: string): Promise<{ key: string; seq: number }[]> {
  const all: { key: string; seq: number }[] = [];
  for (let hasMore = true; hasMore; ) {
    const path = `/api/chat/conversations/${conversationId}/messages?after=${all.at(-1)?.seq ?? 0}&limit=200`;
    const page = (await call('GET', path)).body as {
      messages: { content: string; seq: number }[];
      hasMore: boolean;
    };
    all.push(...page.messages.map(({ content, seq }) => ({ key: content.split(' ')[0] ?? '', seq })));
    hasMore = page.hasMore;
  }
  return all;
}

const isReady = async () => (await fetch(`${system.apiUrl}/health/ready`)).status === 200;

test('a log that freezes and is killed under load: sends are answered honestly, reads go on, nothing acknowledged is lost', async () => {
  const created = await call('POST', '/api/chat/conversations', { userId: 'alice', visibility: 'open' });
  const conversationId = (created.body as { conversation: { id: string } }).conversation.id;
  const clients = ['ws1', 'ws2'].map((name) => new ChatClient(() => system.edgeUrl, name));
  for (const client of clients) {
    await client.connect();
    await client.join(conversationId);
  }
  const senders = [
    ...['h1', 'h2', 'h3'].map((name) => httpSender(name, conversationId)),
    ...clients.map((client) => socketSender(client, conversationId)),
  ];
  const before = residentBytes();
  let over = false;
  let peak = before;
  const reads: { status: number; tookMs: number }[] = [];
  const reading = async () => {
    for (; !over; await delay(50)) {
      const startedMs = performance.now();
      const { status } = await call('GET', `/api/chat/conversations/${conversationId}/messages?limit=10`);
      reads.push({ status, tookMs: performance.now() - startedMs });
      peak = Math.max(peak, residentBytes());
    }
  };
  const working = Promise.all([reading(), ...senders.map((sender) => sender.run(() => over))]);
  const ackedBy = () => senders.every(({ acked }) => acked.length > 20);
  await waitFor('everybody to have sent something', ackedBy);

  const pid = system.run().nats?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  await waitFor('the system to know', async () => !(await isReady()));
  // Those from before wait for an answer to what they have sent; these come when it is known that there is none.
  const late = ['h4', 'h5', 'h6'].map((name) => httpSender(name, conversationId));
  senders.push(...late);
  const lateWork = Promise.all(late.map((sender) => sender.run(() => over)));
  const refusals = () => senders.reduce((sum, sender) => sum + sender.refusedMs.length, 0);
  await Promise.all([delay(FROZEN_MS), waitFor('enough refusals', () => refusals() > 40)]);
  process.kill(pid, 'SIGCONT');
  await waitFor('the system to be back by itself', isReady);
  process.kill(pid, 'SIGKILL');
  await waitFor('another nats-server', () => system.run().nats?.pid !== pid);
  await waitFor('the system to be back by itself', isReady);
  const acked = senders.map((sender) => sender.acked.length);
  await waitFor('everybody to get on', () =>
    senders.every((sender, n) => sender.acked.length > (acked[n] ?? 0)),
  );
  over = true;
  await Promise.all([working, lateWork]);

  const refusedMs = senders.flatMap((sender) => sender.refusedMs).sort((a, b) => a - b);
  expect(refusedMs.length).toBeGreaterThan(20);
  expect(refusedMs[Math.floor(refusedMs.length / 2)], 'half of the refusals took less').toBeLessThan(1_000);
  expect(Math.max(...senders.flatMap((sender) => sender.slowestMs))).toBeLessThan(60_000);
  expect(reads.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...reads.map(({ tookMs }) => tookMs))).toBeLessThan(20_000);
  expect(peak - before).toBeLessThan(GROWTH_BYTES_MAX);

  const all = senders.flatMap((sender) => sender.acked);
  const history = await waitFor('the history to have all', async () => {
    const found = await historyOf(conversationId);
    return found.length >= all.length && found;
  });
  // Every message was sent until it was acknowledged, so there is each once, where its acknowledgement said, and no other.
  expect(history).toEqual([...all].sort((a, b) => a.seq - b.seq));
  for (const { acked: own } of senders) expect(own).toEqual([...own].sort((a, b) => a.seq - b.seq));
  for (const client of clients) {
    await waitFor('the live feed to bring all', () => client.events.length === all.length + 1, {
      timeoutMs: 300_000,
    });
    expect(client.events.slice(1).map(({ seq }) => seq)).toEqual(history.map(({ seq }) => seq));
    client.drop();
  }
  const verified = await system.cli('verify');
  expect(verified.stdout).toMatch(/ 0 differences/);
});
