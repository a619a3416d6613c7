import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenApiDocument } from '../../src/contracts/openapi/document.ts';
import { DocumentedApi } from '../support/documentedApi.ts';
import { DocumentedRequests } from '../support/documentedRequests.ts';
import { createMigratedDatabase, projectAll } from '../support/historyDatabase.ts';
import { startTestApi, type TestApi } from '../support/httpApi.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { type RawRequest, rawCall } from '../support/rawCall.ts';

let database: TestDatabase;
let api: TestApi;
let document: OpenApiDocument;
beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
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
  await projectAll(api);
  const users = ['alice', 'bob', 'carol'];
  return {
    ...{
      conversationId,
      messageId,
      replyTo: messageId,
      userId: users,
      participantIds: users,
      userIds: users,
    },
    ...{ seq: [1, 2, 3], limit: ['1', '200'], position: ['memory:1'], after: ['0', '2'], before: ['3'] },
    ...{ 'X-User-Id': ['alice'], emoji: ['👍'], q: ['hello', '"hello world" or -x', '<&>'] },
  };
}

const RUNS = 400;
const AT_A_TIME = 12;
const MS_MAX = 15_000;

it('whatever is asked, nothing ends with 5xx, and every answer is as documented', async () => {
  const documented = new DocumentedApi(document);
  const requests = new DocumentedRequests(document, await knownValues());
  let sent = 0;
  const ask = async (request: RawRequest) => {
    const answer = await rawCall(api.url, request);
    sent += 1;
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
        const answers = await Promise.all(batch.map(ask));
        expect(answers.filter(({ isRight }) => !isRight)).toEqual([]);
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: MS_MAX },
  );
  expect(sent).toBeGreaterThan(500);
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
