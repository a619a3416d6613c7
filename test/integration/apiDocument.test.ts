import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryEventLog } from '../../src/eventlog/memory/memoryEventLog.ts';
import { type EventLog, LogUnavailableError, UnknownOutcomeError } from '../../src/ports/eventLog.ts';
import { DocumentedApi, type RawAnswer } from '../support/documentedApi.ts';
import { createMigratedDatabase, projectAll } from '../support/historyDatabase.ts';
import { startTestApi, type TestApi } from '../support/httpApi.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { rawCall } from '../support/rawCall.ts';

/**
 * The API document against the API: every route is in it, everything in it is served, and every answer of a real server is as
 * it says, with a call for each status that an operation may answer.
 */
const API = '/api/chat';
const ELSEWHERE = `c_${'x'.repeat(21)}`;

type Trouble = { readonly read?: Error; readonly append?: Error | 'conflict' };

let database: TestDatabase;
let api: TestApi;
let withoutDatabase: TestApi;
let document: DocumentedApi;
let trouble: Trouble;
let draining: boolean;

beforeAll(async () => {
  database = await createMigratedDatabase();
  const log = (memory: MemoryEventLog) => troubled(memory, () => trouble);
  trouble = {};
  draining = false;
  api = await startTestApi({ databaseUrl: database.url, log, health: { isDraining: () => draining } });
  withoutDatabase = await startTestApi();
  const { text } = await rawCall(api.url, { method: 'GET', path: '/docs/openapi.json' });
  document = new DocumentedApi(JSON.parse(text));
});
afterAll(async () => {
  await api.stop();
  await withoutDatabase.stop();
  await database.drop();
});
beforeEach(() => {
  trouble = {};
  draining = false;
});

function troubled(log: MemoryEventLog, current: () => Trouble): EventLog {
  const readable = <T>(work: () => Promise<T>): Promise<T> => {
    const { read } = current();
    return read === undefined ? work() : Promise.reject(read);
  };
  return {
    epoch: log.epoch,
    append: (request) => {
      const { append } = current();
      if (append === 'conflict') return Promise.resolve({ outcome: 'conflict' });
      return append === undefined ? log.append(request) : Promise.reject(append);
    },
    latest: (...which) => readable(() => log.latest(...which)),
    at: (seq) => readable(() => log.at(seq)),
    erase: (seq) => readable(() => log.erase(seq)),
    renewEpoch: (from) => readable(() => log.renewEpoch(from)),
    status: () => readable(() => log.status()),
  };
}

interface Call {
  readonly path: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** Sends a call of an operation, with whatever is changed about it; its answer must be as documented. */
async function call(operationId: string, { path, body, headers }: Call, to = api): Promise<RawAnswer> {
  const place = document.places.find(({ operation }) => operation.operationId === operationId);
  if (place === undefined) throw new Error(`${operationId} is not documented`);
  const method = place.method.toUpperCase();
  const json = { 'Content-Type': 'application/json', ...headers };
  const sent = body === undefined ? { headers } : { headers: json, body: JSON.stringify(body) };
  const answer = await rawCall(to.url, { method, path, ...sent } as Parameters<typeof rawCall>[1]);
  expect(document.placeOf(method, path)?.operation.operationId).toBe(operationId);
  expect(document.fault(method, path, answer)).toBeNull();
  return answer;
}

/** What makes each operation answer with a success, on a conversation and a message that are there. */
async function goodCalls(to = api, more: object = {}): Promise<Record<string, Call>> {
  const made = { userId: 'alice', visibility: 'open', participantIds: ['bob'], ...more };
  const created = (await to.call('POST', `${API}/conversations`, made)).body;
  const conversationId: string = created.conversation.id;
  const named = { conversationId, userId: 'alice' };
  const posted = (await to.call('POST', `${API}/messages`, { ...named, content: 'hello' })).body;
  const conversation = `${API}/conversations/${conversationId}`;
  const message = `${API}/messages/${posted.message.messageId}`;
  const { seq } = posted;
  return {
    createConversation: { path: `${API}/conversations`, body: { userId: 'alice', title: 'hello' } },
    listConversations: { path: `${API}/conversations?userId=alice&limit=1` },
    getConversation: { path: `${conversation}?userId=alice` },
    changeConversation: { path: conversation, body: { userId: 'alice', title: `${seq}` } },
    addParticipants: {
      path: `${conversation}/participants`,
      body: { userId: 'alice', participantIds: ['carol'] },
    },
    removeParticipants: {
      path: `${conversation}/participants`,
      body: { userId: 'alice', participantIds: ['bob'] },
    },
    postMessage: { path: `${API}/messages`, body: { ...named, content: 'hi', clientMessageId: 'k1' } },
    editMessage: { path: message, body: { ...named, content: 'hello again', seq } },
    deleteMessage: { path: message, body: { ...named, seq } },
    addReaction: { path: `${message}/reactions/%F0%9F%91%8D`, body: named },
    removeReaction: { path: `${message}/reactions/%F0%9F%91%8D`, body: named },
    readMessages: { path: `${conversation}/messages?userId=alice` },
    searchMessages: { path: `${API}/search?userId=alice&q=hello&conversationId=${conversationId}` },
    listenToConversation: { path: `${conversation}/events?userId=alice&after=0` },
    readPresence: { path: `${API}/presence?userIds=alice,bob` },
    markRead: { path: `${conversation}/read`, body: { userId: 'alice', seq } },
    checkProcess: { path: '/health' },
    checkLive: { path: '/health/live' },
    checkReady: { path: '/health/ready' },
    checkDatabase: { path: '/health/database' },
    checkStream: { path: '/health/stream' },
    checkProjections: { path: '/health/projections' },
    readMetrics: { path: '/metrics' },
    readDocs: { path: '/docs' },
    readDocsAsset: { path: '/docs/page.js' },
    readOpenApi: { path: '/docs/openapi.json' },
    readAsyncApi: { path: '/docs/asyncapi.json' },
  };
}

/** Sends each of these operations' good calls, changed; every answer must have this status. */
async function callAll(
  operationIds: Iterable<string>,
  status: number,
  change: (good: Call) => Call = (good) => good,
  to = api,
): Promise<void> {
  const good = await goodCalls(to);
  const before = trouble;
  for (const operationId of operationIds) {
    const known = good[operationId];
    if (known === undefined) throw new Error(`There is no call of ${operationId} here`);
    trouble = before;
    const answer = await call(operationId, change(known), to);
    expect([operationId, answer.status, answer.text]).toEqual([operationId, status, answer.text]);
  }
}

/** Their bodies are no JSON: `uploads.test.ts` asks them. */
const UPLOADS = ['uploadFile', 'readUpload'];

/** The operations that may answer with this status. */
function answering(status: number, except: readonly string[] = []): string[] {
  const ids = document.places
    .filter(({ operation }) => String(status) in operation.responses)
    .map(({ operation }) => operation.operationId);
  return ids.filter((id) => !except.includes(id) && !UPLOADS.includes(id));
}

/** The same call about a conversation that is not there. */
function elsewhere({ path, body, headers }: Call): Call {
  const moved = path.replace(/c_[A-Za-z0-9_-]{21}/, ELSEWHERE);
  const away = body && 'conversationId' in body ? { ...body, conversationId: ELSEWHERE } : body;
  return { path: moved, ...(away && { body: away }), ...(headers && { headers }) };
}

function withQuery(good: Call, query: string): Call {
  return { ...good, path: `${good.path}${good.path.includes('?') ? '&' : '?'}${query}` };
}

it('every route is documented, and everything documented is a route', () => {
  const routes = api.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const documented = document.places.map(({ method, template }) => `${method} ${template}`);
  expect(documented.sort()).toEqual(routes.sort());
});

describe('every answer is as documented', () => {
  it('200 and 201', async () => {
    await goodCalls();
    await projectAll(api);
    await api.logHead.ask();
    await callAll(answering(200, ['postMessage']), 200);
    await callAll(answering(201), 201);
    const { postMessage } = await goodCalls();
    await call('postMessage', postMessage!);
    expect((await call('postMessage', postMessage!)).status).toBe(200);
  });

  it('200, with as much in it as there can be', async () => {
    const good = await goodCalls();
    const { messageId } = JSON.parse((await call('postMessage', good.postMessage!)).text).message;
    const reply = { ...good.postMessage?.body, clientMessageId: 'k2', replyTo: messageId };
    await call('postMessage', { path: good.postMessage!.path, body: reply });
    for (const id of ['addReaction', 'editMessage', 'markRead', 'addParticipants']) await call(id, good[id]!);
    await projectAll(api);
    for (const id of ['readMessages', 'searchMessages', 'listConversations', 'checkProjections']) {
      expect((await call(id, good[id]!)).status).toBe(200);
    }
    const erased = await call('deleteMessage', withQuery(good.deleteMessage!, 'erase=true'));
    expect(JSON.parse(erased.text).erased).toBeGreaterThan(0);
    await projectAll(api);
    expect((await call('readMessages', good.readMessages!)).text).toMatch(/"deletedAt" ?: ?"2/);
    for (const asset of ['page.css', 'swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']) {
      expect((await call('readDocsAsset', { path: `/docs/${asset}` })).status).toBe(200);
    }
  });

  it('304', async () => {
    const good = await goodCalls();
    for (const id of answering(304)) {
      const etag = (await call(id, good[id]!)).headers.get('etag') ?? '';
      expect(etag).toMatch(/^(W\/)?"[^"]+"$/);
      // Without the second header, Node's fetch adds one that asks for the whole answer.
      const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
      expect((await call(id, { ...good[id]!, headers })).status).toBe(304);
    }
  });

  it('400', async () => {
    await callAll(answering(400, ['readDocsAsset']), 400, (good) => withQuery(good, 'odd=1'));
    expect((await call('readDocsAsset', { path: '/docs/%FF' })).status).toBe(400);
  });

  it('403', () =>
    callAll(answering(403), 403, (good) => ({ ...good, body: { ...good.body, userId: 'stranger' } })));

  it('404', async () => {
    await callAll(answering(404, ['readDocsAsset']), 404, elsewhere);
    expect((await call('readDocsAsset', { path: '/docs/..%2Fpackage.json' })).status).toBe(404);
  });

  it('409', async () => {
    const messages = ['postMessage', 'editMessage', 'addReaction'];
    const good = await goodCalls();
    await call('changeConversation', {
      ...good.changeConversation!,
      body: { userId: 'alice', archived: true },
    });
    for (const id of messages) expect((await call(id, good[id]!)).status).toBe(409);
    trouble = { append: 'conflict' };
    for (const id of ['changeConversation', 'addParticipants', 'removeParticipants']) {
      expect((await call(id, good[id]!)).status).toBe(409);
    }
    for (const id of ['readMessages', 'listConversations', 'searchMessages']) {
      expect((await call(id, withQuery(good[id]!, 'position=other:1'))).status).toBe(409);
    }
  });

  it('413 and 415', async () => {
    const large = 'x'.repeat(1_048_577);
    await callAll(answering(413), 413, (good) => ({ ...good, body: { ...good.body, large } }));
    await callAll(answering(415), 415, (good) => ({ ...good, headers: { 'Content-Type': 'text/plain' } }));
  });

  it('503 and 504, when the log is in trouble', async () => {
    const read = new LogUnavailableError('gone');
    const writing = answering(504, ['markRead']);
    const onAppend = async (append: Error, status: number) => {
      const good = await goodCalls();
      trouble = { append };
      for (const id of writing) expect((await call(id, good[id]!)).status).toBe(status);
      trouble = {};
    };
    await onAppend(read, 503);
    await onAppend(new UnknownOutcomeError('late'), 504);
    const good = await goodCalls();
    trouble = { read };
    for (const id of ['getConversation', 'readMessages', 'searchMessages', 'markRead']) {
      expect((await call(id, elsewhere(good[id]!))).status).toBe(503);
    }
    expect((await call('checkStream', good.checkStream!)).status).toBe(503);
  });

  it('503, without the database, or while stopping', async () => {
    const good = await goodCalls(withoutDatabase);
    for (const id of ['listConversations', 'searchMessages', 'checkDatabase', 'checkProjections']) {
      expect((await call(id, good[id]!, withoutDatabase)).status).toBe(503);
    }
    expect((await call('markRead', good.markRead!, withoutDatabase)).text).toBe('{"unreadCount":null}');
    draining = true;
    expect((await call('checkReady', good.checkReady!)).status).toBe(503);
  });

  it('and nothing is documented that was not seen, but what no test brings about', () => {
    const unseen = document
      .documented()
      .filter((what) => !document.seen.has(what) && !what.endsWith(' 500'))
      .filter((what) => !UPLOADS.some((id) => what.startsWith(`${id} `)));
    // Too many streams at once; a receipt that the stream did not confirm in time.
    expect(unseen).toEqual(['listenToConversation 503', 'markRead 504']);
  });
});
