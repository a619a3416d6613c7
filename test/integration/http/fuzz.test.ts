import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenApiDocument } from '../../../src/contracts/documents/openapi/document.ts';
import { PARTITION_GROUPS } from '../../../src/contracts/events/subjects.ts';
import { DocumentedApi } from '../../support/documents/documentedApi.ts';
import { requestOf } from '../../support/documents/documentedCalls.ts';
import { DocumentedRequests } from '../../support/documents/documentedRequests.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { field, file, PNG } from '../../support/http/multipart.ts';
import { type RawRequest, rawCall } from '../../support/http/rawCall.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
let api: TestApi;
let document: OpenApiDocument;
beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url, uploads: { bytesMax: 100_000 } });
  document = (await api.call('GET', '/docs/openapi.json')).body;
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

/** What is there to be asked for. */
async function knownValues() {
  const conversationId: string[] = [];
  const messageId: string[] = [];
  for (const visibility of ['open', 'members']) {
    const made = { userId: 'alice', visibility, participantIds: ['bob'], title: 'hello' };
    const { id } = (await api.call('POST', '/api/chat/conversations', made)).body.conversation;
    conversationId.push(id);
    for (const content of ['hello', 'hello & <world>']) {
      const body = { userId: 'alice', conversationId: id, content };
      messageId.push((await api.call('POST', '/api/chat/messages', body)).body.message.messageId);
    }
  }
  const form = [
    field('userId', 'alice'),
    field('conversationId', conversationId[0] ?? ''),
    file(PNG, 'one.png'),
  ];
  const upload = requestOf('POST', { path: '/api/chat/uploads', form });
  const { attachment } = (await api.call('POST', upload.path, upload.body, upload.headers)).body;
  await projectAll(api);
  // Mostly the one that the header names, or little would get past it.
  const userId = ['alice', 'alice', 'alice', 'bob', 'carol'];
  const uploadId = [attachment.id];
  return {
    ...{ conversationId, messageId, replyTo: messageId, userId, participantIds: userId, userIds: userId },
    ...{ uploadId, attachments: uploadId, clientMessageId: ['k1', 'k2', 'k3'], 'X-User-Id': ['alice'] },
    ...{ seq: [1, 2, 3], limit: ['1', '200'], position: ['memory:1'], after: ['0', '2'], before: ['3'] },
    ...{ 'Last-Event-ID': ['1'], 'X-Request-Id': ['r1'], Prefer: ['wait=durable'], title: ['hello'] },
    ...{ emoji: ['👍'], content: ['hello', '\u2028<😀>'], q: ['hello', '"hello world" or -x', '<&>'] },
  };
}

const RUNS = 150;
const AT_A_TIME = 12;

/** One that is in order, so that there is one for certain. */
function durablePost(conversationId: string | undefined): RawRequest {
  const body = { conversationId, userId: 'alice', content: 'hello' };
  return requestOf('POST', { path: '/api/chat/messages', body, headers: { Prefer: 'wait=durable' } });
}

/** What a projector does, for as long as somebody waits for it: what was asked for with `wait=durable` is answered then. */
async function projectWhile(isAwaited: () => boolean): Promise<void> {
  for (let projected = 0; isAwaited(); await nextTurn()) {
    if (projected === (await api.log.status()).lastSeq) continue;
    const seq = await projectAll(api);
    projected = seq;
    for (let group = 0; group < PARTITION_GROUPS; group++) api.progress.announce({ group, seq, parked: [] });
  }
}

it('whatever is asked, nothing ends with 5xx, and every answer is as documented', async () => {
  const documented = new DocumentedApi(document);
  const known = await knownValues();
  const requests = new DocumentedRequests(document, known);
  let sent = 0;
  const durable = new Set<string>();
  const ask = async (request: RawRequest) => {
    const answer = await rawCall(api.url, request);
    sent += 1;
    if (answer.headers.has('preference-applied')) durable.add(answer.text);
    // What was asked for once `..` and the like are resolved, as the client does.
    const { pathname } = new URL(api.url + request.path);
    const path = pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname;
    const isKnown = documented.placeOf(request.method, path) !== undefined;
    const fault = isKnown ? documented.fault(request.method, path, answer) : null;
    const isRefused = isKnown || [400, 404, 405].includes(answer.status);
    return {
      request,
      status: answer.status,
      fault,
      isRight: fault === null && isRefused && (answer.status < 500 || isHealth(path)),
    };
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(requests.any(), { minLength: AT_A_TIME, maxLength: AT_A_TIME }),
      async (batch) => {
        let isAwaited = true;
        const answering = Promise.all(batch.map(ask)).finally(() => {
          isAwaited = false;
        });
        const [answers] = await Promise.all([answering, projectWhile(() => isAwaited)]);
        expect(answers.filter(({ isRight }) => !isRight)).toEqual([]);
      },
    ),
    { numRuns: RUNS, examples: [[[durablePost(known.conversationId[0])]]] },
  );
  // The example is a batch of one.
  expect(sent).toBe((RUNS - 1) * AT_A_TIME + 1);
  expect(durable.size).toBeGreaterThan(0);
  expect(api.logged.filter(({ level }) => level === 50)).toEqual([]);
  // Enough of it gets through to be worth something.
  const successes = documented.documented().filter((what) => / 20[01]$/.test(what));
  const seen = successes.filter((what) => documented.seen.has(what));
  expect(seen.length).toBeGreaterThan(successes.length * 0.7);
});

/** They say 503 of what is so: nobody looks at the log again here, and nobody projects. */
function isHealth(path: string): boolean {
  return path.startsWith('/health/');
}
