import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogUnavailableError, UnknownOutcomeError } from '../../../src/ports/eventLog.ts';
import { DocumentedApi, type RawAnswer } from '../../support/documents/documentedApi.ts';
import {
  type Call,
  elsewhere,
  goodCalls,
  requestOf,
  withQuery,
} from '../../support/documents/documentedCalls.ts';
import {
  FaultyAttachments,
  FaultyReceipts,
  faultyLog,
  type StoreFaults,
} from '../../support/faults/faultyStores.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { file, pdf } from '../../support/http/multipart.ts';
import { rawCall, unfinishedCall } from '../../support/http/rawCall.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/**
 * The API document against the API: every route is in it, everything in it is served, and every answer of a real server is as
 * it says, with a call for each status that an operation may answer.
 */
const UPLOAD_BYTES_MAX = 65_536;

let database: TestDatabase;
let api: TestApi;
let withoutDatabase: TestApi;
let document: DocumentedApi;
let faults: StoreFaults;
let draining: boolean;

beforeAll(async () => {
  database = await createMigratedDatabase();
  faults = {};
  draining = false;
  api = await startTestApi({
    databaseUrl: database.url,
    log: (memory) => faultyLog(memory, () => faults),
    attachments: new FaultyAttachments(() => faults),
    receipts: new FaultyReceipts(() => faults),
    uploads: { bytesMax: UPLOAD_BYTES_MAX, stallMsMax: 200 },
    online: async (userIds) => new Set(withoutFault(userIds)),
    health: { isDraining: () => withoutFault(draining), publishAckMs: () => withoutFault(1.5) },
  });
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
  faults = {};
  draining = false;
});

/** @throws the fault of the program that there is just now */
function withoutFault<T>(value: T): T {
  if (faults.fault !== undefined) throw faults.fault;
  return value;
}

/** Sends a call of an operation, with whatever is changed about it; its answer must be as documented. */
async function call(operationId: string, what: Call, to = api, send = rawCall): Promise<RawAnswer> {
  const place = document.places.find(({ operation }) => operation.operationId === operationId);
  if (place === undefined) throw new Error(`${operationId} is not documented`);
  const request = requestOf(place.method, what);
  const answer = await send(to.url, request);
  expect(document.placeOf(request.method, what.path)?.operation.operationId).toBe(operationId);
  expect(document.fault(request.method, what.path, answer)).toBeNull();
  return answer;
}

/** Sends each of these operations' good calls, changed; every answer must have this status. */
async function callAll(
  operationIds: Iterable<string>,
  status: number,
  change: (good: Call) => Call = (good) => good,
  to = api,
): Promise<void> {
  const good = await goodCalls(to);
  const before = faults;
  for (const operationId of operationIds) {
    const known = good[operationId];
    if (known === undefined) throw new Error(`There is no call of ${operationId} here`);
    faults = before;
    const answer = await call(operationId, change(known), to);
    expect([operationId, answer.status, answer.text]).toEqual([operationId, status, answer.text]);
  }
}

/** Operations that ask nobody who could be at fault, or whose answer is what went wrong. */
const FAULTLESS = [
  ...['checkProcess', 'checkLive', 'checkDatabase', 'checkProjections', 'readMetrics'],
  ...['readDocs', 'readDocsAsset', 'readOpenApi', 'readAsyncApi'],
];

/** The operations that may answer with this status. */
function answering(status: number, except: readonly string[] = []): string[] {
  const ids = document.places
    .filter(({ operation }) => String(status) in operation.responses)
    .map(({ operation }) => operation.operationId);
  return ids.filter((id) => !except.includes(id));
}

it('every route is documented, and everything documented is a route', () => {
  const routes = api.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const documented = document.places.map(({ method, template }) => `${method} ${template}`);
  expect(documented.sort()).toEqual(routes.sort());
});

describe('every answer is as documented', () => {
  it('200 and 201', async () => {
    await goodCalls(api);
    await projectAll(api);
    await api.logHead.ask();
    await callAll(answering(200, ['postMessage', 'createConversation']), 200);
    await callAll(answering(201), 201);
    const { postMessage } = await goodCalls(api);
    await call('postMessage', postMessage!);
    expect((await call('postMessage', postMessage!)).status).toBe(200);
    const { createConversation } = await goodCalls(api);
    const again = { ...createConversation!, headers: { 'Idempotency-Key': 'k1' } };
    const statuses = [await call('createConversation', again), await call('createConversation', again)];
    expect(statuses.map(({ status }) => status)).toEqual([201, 200]);
  });

  it('200, with as much in it as there can be', async () => {
    const good = await goodCalls(api);
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
    const good = await goodCalls(api);
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

  it('400 for a field that nobody knows, of every body of JSON', async () => {
    const takingJson = document.places
      .filter(({ operation }) => operation.requestBody?.content['application/json'] !== undefined)
      .map(({ operation }) => operation.operationId);
    expect(takingJson.length).toBeGreaterThan(8);
    await callAll(takingJson, 400, (good) => ({ ...good, body: { ...good.body, odd: 1 } }));
  });

  it('403 for strangers, and for pages of origins that are not listed', async () => {
    const strange = [
      'changeConversation',
      'addParticipants',
      'removeParticipants',
      'editMessage',
      'deleteMessage',
    ];
    await callAll(strange, 403, (good) => ({ ...good, body: { ...good.body, userId: 'stranger' } }));
    const listed = await startTestApi({ shell: { allowedOrigins: ['https://chat.example.org'] } });
    const good = await goodCalls(listed);
    for (const id of answering(403)) {
      const foreign = { ...good[id]!, headers: { ...good[id]?.headers, Origin: 'https://evil.example' } };
      expect([id, (await call(id, foreign, listed)).status]).toEqual([id, 403]);
    }
    await listed.stop();
  });

  it('404', async () => {
    await callAll(answering(404, ['readDocsAsset']), 404, elsewhere);
    expect((await call('readDocsAsset', { path: '/docs/..%2Fpackage.json' })).status).toBe(404);
  });

  it('409', async () => {
    const messages = ['postMessage', 'editMessage', 'addReaction'];
    const good = await goodCalls(api);
    await call('changeConversation', {
      ...good.changeConversation!,
      body: { userId: 'alice', archived: true },
    });
    for (const id of messages) expect((await call(id, good[id]!)).status).toBe(409);
    const named = { ...good.createConversation!, headers: { 'Idempotency-Key': 'k2' } };
    await call('createConversation', named);
    const other = { ...named, body: { userId: 'alice', title: 'other' } };
    expect((await call('createConversation', other)).status).toBe(409);
    faults = { append: 'conflict' };
    for (const id of ['changeConversation', 'addParticipants', 'removeParticipants']) {
      expect((await call(id, good[id]!)).status).toBe(409);
    }
    for (const id of ['readMessages', 'listConversations', 'searchMessages']) {
      expect((await call(id, withQuery(good[id]!, 'position=other:1'))).status).toBe(409);
    }
  });

  it('413 and 415', async () => {
    const large = 'x'.repeat(1_048_577);
    const tooLarge = (good: Call): Call =>
      good.form === undefined
        ? { ...good, body: { ...good.body, large } }
        : { ...good, form: [...good.form.slice(0, -1), file(pdf(UPLOAD_BYTES_MAX + 1))] };
    await callAll(answering(415), 413, tooLarge);
    const longHeader = { 'X-Long': 'x'.repeat(20_000) };
    await callAll(answering(413), 413, (good) => ({ ...good, headers: { ...good.headers, ...longHeader } }));
    await callAll(answering(415), 415, (good) => ({ ...good, headers: { 'Content-Type': 'text/plain' } }));
  });

  it('206 and 416', async () => {
    const { readUpload } = await goodCalls(api);
    for (const [range, status] of [
      ['bytes=0-3', 206],
      ['bytes=-1', 206],
      ['bytes=1000-', 416],
    ] as const) {
      const answer = await call('readUpload', { ...readUpload!, headers: { Range: range } });
      expect([range, answer.status]).toEqual([range, status]);
    }
    expect([...answering(206), ...answering(416)]).toEqual(['readUpload', 'readUpload']);
  });

  it('408', async () => {
    const good = await goodCalls(api);
    expect(answering(408)).toEqual(['uploadFile']);
    expect((await call('uploadFile', good.uploadFile!, api, unfinishedCall)).status).toBe(408);
  });

  it('503 and 504, when the log is in trouble', async () => {
    const read = new LogUnavailableError('gone');
    const writing = answering(504, ['markRead']);
    const onAppend = async (append: Error, status: number) => {
      const good = await goodCalls(api);
      faults = { append };
      for (const id of writing) expect((await call(id, good[id]!)).status).toBe(status);
      faults = {};
    };
    await onAppend(read, 503);
    await onAppend(new UnknownOutcomeError('late'), 504);
    const good = await goodCalls(api);
    faults = { read };
    const reading = ['getConversation', 'readMessages', 'searchMessages', 'markRead'];
    for (const id of [...reading, 'uploadFile', 'readUpload']) {
      expect((await call(id, elsewhere(good[id]!))).status).toBe(503);
    }
    expect((await call('checkStream', good.checkStream!)).status).toBe(503);
  });

  it('503 and 504, when the receipts are in trouble', async () => {
    const { markRead } = await goodCalls(api);
    faults = { mark: new UnknownOutcomeError('late') };
    expect((await call('markRead', markRead!)).status).toBe(504);
    faults = { mark: new LogUnavailableError('gone') };
    expect((await call('markRead', markRead!)).status).toBe(503);
  });

  it('503, when there are too many event streams', async () => {
    const full = await startTestApi({ connectionsMax: 0 });
    const good = await goodCalls(full);
    expect((await call('listenToConversation', good.listenToConversation!, full)).status).toBe(503);
    await full.stop();
  });

  it('500, when the program is at fault', async () => {
    const fault = new TypeError('undefined is not a function');
    const good = await goodCalls(api);
    const asking = vi.spyOn(api.database, 'ask').mockRejectedValue(fault);
    faults = { append: fault, read: fault, mark: fault, fault };
    for (const id of answering(500, FAULTLESS)) {
      const answer = await call(id, elsewhere(good[id]!));
      expect([id, answer.status]).toEqual([id, 500]);
      expect(answer.text).not.toContain(fault.message);
    }
    asking.mockRestore();
    expect(api.logged).toContainEqual(
      expect.objectContaining({
        msg: 'request failed',
        err: expect.objectContaining({ message: fault.message }),
      }),
    );
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
    const unseen = document.documented().filter((what) => !document.seen.has(what));
    expect(unseen.sort()).toEqual(FAULTLESS.map((id) => `${id} 500`).sort());
  });
});
