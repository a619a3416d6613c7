import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EventStream, lastEventId, openEventStream } from '../../support/edge/eventStreams.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { answersIn, exchange } from '../../support/http/rawHttp.ts';
import { waitFor } from '../../support/time/waitFor.ts';

let api: TestApi;
let streams: EventStream[];
beforeEach(async () => {
  api = await startTestApi();
  streams = [];
});
afterEach(async () => {
  for (const { response } of streams) response.destroy();
  await api.stop();
});

/** Opens a stream that is ended with the test. */
async function listen(path: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const stream = await openEventStream(`${api.url}${path}`, headers);
  streams.push(stream);
  return stream;
}

async function newConversation(visibility = 'open'): Promise<string> {
  const created = await api.call('POST', '/api/chat/conversations', { userId: 'alice', visibility });
  return created.body.conversation.id;
}

async function say(conversationId: string, content: string): Promise<number> {
  const said = await api.call('POST', '/api/chat/messages', { conversationId, userId: 'alice', content });
  return said.body.seq;
}

const eventsOf = ({ messages }: EventStream) =>
  messages
    .filter(({ event, data }) => event === undefined && data !== undefined)
    .map(({ id, data }) => [Number(id), JSON.parse(data ?? '')]);
const named = ({ messages }: EventStream, name: string) => messages.filter(({ event }) => event === name);
const pathOf = (conversationId: string) => `/api/chat/conversations/${conversationId}/events`;

test('a stream brings the events after the given one and then live ones, with the sequence as id', async () => {
  const id = await newConversation();
  const [first, second] = [await say(id, 'one'), await say(id, 'two\nin two lines')];
  const stream = await listen(`${pathOf(id)}?userId=bob&after=${first}`);
  expect(stream.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
  const third = await say(id, 'three');
  await waitFor('both events', () => eventsOf(stream).length === 2);
  expect(eventsOf(stream)).toMatchObject([
    [second, { seq: second, prev: first, event: { content: 'two\nin two lines' } }],
    [third, { seq: third, prev: second, event: { content: 'three' } }],
  ]);
  expect(JSON.parse(named(stream, 'joined')[0]?.data ?? '')).toMatchObject({
    conversationId: id,
    epoch: 'memory',
  });
});

test('a browser that comes back goes on after the last event it saw, whatever its URL says', async () => {
  const id = await newConversation();
  const seqs = [await say(id, 'one'), await say(id, 'two'), await say(id, 'three')];
  const stream = await listen(`${pathOf(id)}?after=0`, { 'Last-Event-ID': String(seqs[1]) });
  await waitFor('the event', () => eventsOf(stream).length === 1);
  expect(eventsOf(stream)).toMatchObject([[seqs[2], { prev: seqs[1] }]]);
});

/** Cuts a stream. @returns opens it again, as an `EventSource` does */
async function cut(stream: EventStream, path: string): Promise<() => Promise<EventStream>> {
  stream.response.destroy();
  const { hub } = api.realtime.context;
  await waitFor('the cut to be noticed', () => hub.channels === 0);
  const id = lastEventId(stream);
  return () => listen(path, id === undefined ? {} : { 'Last-Event-ID': id });
}

test.each([
  ['that asked for nothing before', ''],
  ['that had everything', '?after=LAST'],
  ['that had to start over', '?after=1&epoch=another'],
])('a browser %s and was cut before the first event misses nothing', async (_, query) => {
  const id = await newConversation();
  const path = `${pathOf(id)}${query.replace('LAST', String(await say(id, 'before')))}`;
  const stream = await listen(path);
  const joins = query.includes('epoch') ? 2 : 1;
  await waitFor('the stream', () => named(stream, 'joined').length === joins);
  expect(stream.messages[0]).toEqual({ retry: '2000' });
  const reconnect = await cut(stream, pathOf(id));
  const missed = [await say(id, 'one'), await say(id, 'two')];
  const resumed = await reconnect();
  await waitFor('both', () => eventsOf(resumed).length === 2);
  expect(eventsOf(resumed).map(([seq]) => seq)).toEqual(missed);
});

test('the id of joined names nothing that is still to come', async () => {
  const id = await newConversation();
  const [first, second] = [await say(id, 'one'), await say(id, 'two')];
  const stream = await listen(`${pathOf(id)}?after=${first}`);
  await waitFor('the event', () => eventsOf(stream).length === 1);
  const ids = stream.messages.flatMap(({ id: eventId }) => (eventId === undefined ? [] : [Number(eventId)]));
  expect(ids).toEqual([first, second]);
});

test('HEAD says what a stream would be like, and begins none', async () => {
  const head = `HEAD ${pathOf(await newConversation())} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  const [answer] = answersIn(await exchange(api.port, head));
  expect(answer).toMatchObject({ status: 200, body: '' });
  expect(answer?.headers['content-type']).toBe('text/event-stream; charset=utf-8');
});

test('an event of another log is answered with resync, and the stream goes on live', async () => {
  const id = await newConversation();
  const stream = await listen(`${pathOf(id)}?after=1&epoch=another`);
  await waitFor('resync', () => named(stream, 'resync').length === 1);
  await waitFor('to be live', () => named(stream, 'joined').length === 2);
  const seq = await say(id, 'live');
  await waitFor('the event', () => eventsOf(stream).length === 1);
  expect(eventsOf(stream)[0]?.[0]).toBe(seq);
});

test('a closed conversation is streamed to its participants only, and ends for who is removed', async () => {
  const id = await newConversation('members');
  for (const query of ['', '?userId=bob']) {
    const refused = await api.call('GET', `${pathOf(id)}${query}`);
    expect([refused.status, refused.body.code]).toEqual([404, 'not_found']);
    expect((await fetch(`${api.url}${pathOf(id)}${query}`, { method: 'HEAD' })).status).toBe(404);
  }
  await api.call('POST', `/api/chat/conversations/${id}/participants`, {
    userId: 'alice',
    participantIds: ['bob'],
  });
  const stream = await listen(`${pathOf(id)}?userId=bob`);
  await waitFor('the stream', () => named(stream, 'joined').length === 1);
  await api.call('DELETE', `/api/chat/conversations/${id}/participants`, {
    userId: 'bob',
    participantIds: ['bob'],
  });
  await waitFor('the end', () => stream.response.complete);
  expect(named(stream, 'left')).toHaveLength(1);
});

test.each([
  ['?after=x', {}],
  ['?after=-1', {}],
  ['?more=1', {}],
  ['', { 'Last-Event-ID': 'x' }],
  ['', { 'X-User-Id': '\x01' }],
])('%s with %j is refused as invalid_request', async (query, headers) => {
  const id = await newConversation();
  const answer = await api.call('GET', `${pathOf(id)}${query}`, undefined, headers).catch(() => null);
  if (answer !== null) expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('a listener that stops reading is cut off; the others miss nothing; nothing is left behind', async () => {
  const id = await newConversation();
  const stuck = await listen(`${pathOf(id)}?userId=bob`);
  const healthy = await listen(`${pathOf(id)}?userId=carol`);
  stuck.response.pause();
  let sent = 0;
  const { hub } = api.realtime.context;
  const subscribers = () => hub.channel(id)?.subscribers.size ?? 0;
  await waitFor('both to follow', () => subscribers() === 2);
  await waitFor('the stuck one to be cut off', async () => {
    await Promise.all(Array.from({ length: 20 }, () => say(id, 'x'.repeat(8_000))));
    sent += 20;
    return subscribers() === 1;
  });
  await waitFor('the healthy one', () => eventsOf(healthy).length === sent);
  healthy.response.destroy();
  await waitFor('nobody', () => hub.channels === 0);
});

describe('with quick heartbeats', () => {
  /** The same API with other bounds, stopped with the test. */
  async function restart(secondsMax: number): Promise<void> {
    await api.stop();
    const eventStreams = { beatMs: 20, secondsMax, backpressureBytesMax: 1_024 ** 3 };
    api = await startTestApi({ eventStreams });
  }

  test('a stream ends when it has lasted its time, and who comes back misses nothing', async () => {
    await restart(0.4);
    const id = await newConversation();
    const stream = await listen(pathOf(id));
    await waitFor('the stream', () => named(stream, 'joined').length === 1);
    const first = await say(id, 'one');
    await waitFor('the end', () => stream.response.complete);
    expect(stream.messages.at(-1)).toEqual({ retry: '100' });
    expect(eventsOf(stream).map(([seq]) => seq)).toEqual([first]);
    const second = await say(id, 'two');
    const again = await listen(pathOf(id), { 'Last-Event-ID': lastEventId(stream) ?? '' });
    await waitFor('what was missed', () => eventsOf(again).length === 1);
    expect(eventsOf(again)[0]?.[0]).toBe(second);
  });

  test('a frozen listener is closed when it takes nothing, however little waits for it', async () => {
    await restart(3_600);
    const id = await newConversation();
    const frozen = await listen(`${pathOf(id)}?userId=bob`);
    const healthy = await listen(`${pathOf(id)}?userId=carol`);
    const { hub } = api.realtime.context;
    const subscribers = () => hub.channel(id)?.subscribers.size ?? 0;
    await waitFor('both to follow', () => subscribers() === 2);
    frozen.response.pause();
    let sent = 0;
    await waitFor('the frozen one to be closed', async () => {
      await Promise.all(Array.from({ length: 20 }, () => say(id, 'x'.repeat(8_000))));
      sent += 20;
      return subscribers() === 1;
    });
    await waitFor('the healthy one', () => eventsOf(healthy).length === sent);
  });
});

test('listeners beyond the ceiling are refused before any stream begins, with the time to come back', async () => {
  const id = await newConversation();
  const listening = await Promise.all(Array.from({ length: 100 }, () => listen(pathOf(id))));
  expect(listening.map(({ response }) => response.statusCode)).toEqual(Array(100).fill(200));
  const moments = new Set<number>();
  for (let n = 0; n < 5; n++) {
    const { status, headers, body } = await api.call('GET', pathOf(id));
    expect([status, body.code, body.retryable]).toEqual([503, 'overloaded', true]);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(headers.get('retry-after')).toBe(String(Math.ceil(body.retryAfterMs / 1_000)));
    moments.add(body.retryAfterMs);
  }
  // Each at another, so that they do not all come together again.
  expect(moments.size).toBeGreaterThan(1);
  listening[0]?.response.destroy();
  await waitFor('room for another', async () => (await listen(pathOf(id))).response.statusCode === 200);
});
