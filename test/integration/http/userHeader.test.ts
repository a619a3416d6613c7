import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/contracts/documents/jsonSchemas.ts';
import { buildOpenApi, type OpenApiOperation } from '../../../src/contracts/documents/openapi/document.ts';
import { type Call, goodCalls, requestOf } from '../../support/documents/documentedCalls.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { field } from '../../support/http/multipart.ts';
import { rawCall } from '../../support/http/rawCall.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/** The header `X-User-Id` at every call of the API document that takes a `userId`. */
const HEADER = 'X-User-Id';

let database: TestDatabase;
let api: TestApi;
/** The same behind a gateway that names users in {@link TRUSTED}. */
let guarded: TestApi;
const TRUSTED = 'X-Gateway-User';
beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
  guarded = await startTestApi({ trustedUserHeader: TRUSTED });
});
afterAll(async () => {
  await api.stop();
  await guarded.stop();
  await database.drop();
});

interface Taking {
  readonly operationId: string;
  readonly method: string;
  readonly operation: OpenApiOperation;
}

const OPERATIONS: readonly Taking[] = Object.values(buildOpenApi({ version: '0.0.0' }).paths).flatMap(
  (methods) =>
    Object.entries(methods).map(([method, operation]) => ({
      operationId: operation.operationId,
      method,
      operation,
    })),
);
const TAKING = OPERATIONS.filter(({ operation }) => takesUser(operation));

function takesUser({ parameters, requestBody }: OpenApiOperation): boolean {
  const inQuery = parameters.some((parameter) => 'name' in parameter && parameter.name === 'userId');
  const schemas: JsonSchema[] = Object.values(requestBody?.content ?? {}).map(({ schema }) => schema);
  return inQuery || schemas.some(({ properties }) => properties !== undefined && 'userId' in properties);
}

/** The same call of this user, or without a word of who it is: wherever it says so. */
function by(userId: string | null, { path, body, form }: Call): Call {
  const query = path.replace(/([?&])userId=[^&]*&?/, userId === null ? '$1' : `$1userId=${userId}&`);
  const { userId: _, ...fields } = body ?? {};
  const parts = (form ?? []).filter(({ disposition }) => !disposition.includes('"userId"'));
  return {
    path: query.replace(/[?&]$/, ''),
    ...(body && { body: { ...fields, ...(userId !== null && { userId }) } }),
    ...(form && { form: userId === null ? parts : [field('userId', userId), ...parts] }),
  };
}

/** An API as its gateway uses it: each call comes with the name of alice. */
const throughGateway = (to: TestApi): TestApi => ({
  ...to,
  call: (method, path, body, headers) => to.call(method, path, body, { ...headers, [TRUSTED]: 'alice' }),
});

/** The call of an operation that succeeds, on a closed conversation of its own. */
async function goodCall(operationId: string, to = api): Promise<Call> {
  const call = (await goodCalls(to, { visibility: 'members' }))[operationId];
  if (call === undefined) throw new Error(`There is no call of ${operationId} in the list of good calls`);
  return call;
}

async function send(taking: Taking, call: Call, userId: string) {
  return sendWith(taking, call, { [HEADER]: userId });
}

async function sendWith({ method }: Taking, call: Call, headers: Record<string, string>, to = api) {
  const answer = await rawCall(to.url, requestOf(method, { ...call, headers }));
  const isProblem = answer.headers.get('content-type')?.includes('problem+json') ?? false;
  return { status: answer.status, problem: isProblem ? JSON.parse(answer.text) : null };
}

it('names the user at every call that has a field for it, and at no other', () => {
  const documented = OPERATIONS.filter(({ operation }) =>
    operation.parameters.some((parameter) => '$ref' in parameter && parameter.$ref.endsWith(`/${HEADER}`)),
  );
  expect(documented).toEqual(TAKING);
  expect(TAKING.length).toBeGreaterThan(15);
});

describe.each(TAKING)('$operationId', (taking) => {
  const { operationId } = taking;

  it('takes the header in place of the field', async () => {
    const call = by(null, await goodCall(operationId));
    await projectAll(api);
    const { status, problem } = await send(taking, call, 'alice');
    expect([status, problem]).toEqual([expect.toSatisfy((code) => code === 200 || code === 201), null]);
  });

  it('takes both when they say the same', async () => {
    const call = by('alice', await goodCall(operationId));
    const { status, problem } = await send(taking, call, 'alice');
    expect([status, problem]).toEqual([expect.toSatisfy((code) => code === 200 || code === 201), null]);
  });

  it('refuses a header that contradicts the field, and does nothing', async () => {
    const call = by('alice', await goodCall(operationId));
    const before = await api.eventsInLog();
    // Who is in the conversation as well: nothing but the contradiction speaks against it.
    const { status, problem } = await send(taking, call, 'bob');
    expect([status, problem?.code]).toEqual([400, 'invalid_request']);
    expect(problem.errors).toEqual([
      { path: 'userId', reason: `names another user than the header ${HEADER}` },
    ]);
    expect(await api.eventsInLog()).toBe(before);
  });

  it.each([
    ['nobody', ''],
    ['more than 128 characters', 'x'.repeat(129)],
    ['a control character', 'a\tb'],
    ['what is no UTF-8', '\xff'],
  ])('refuses a header of %s, whatever the field says', async (_what, userId) => {
    const good = await goodCall(operationId);
    for (const call of [by(null, good), by('alice', good)]) {
      const { status, problem } = await send(taking, call, userId);
      expect([status, problem?.code]).toEqual([400, 'invalid_request']);
      expect(problem.errors[0].path).toBe(HEADER);
    }
  });

  it.each([
    ['the field names somebody, and the gateway nobody', 'alice', {}],
    ['the field names somebody, and the gateway says that there is nobody', 'alice', { [TRUSTED]: '' }],
    ['the gateway names another user than the field', 'alice', { [TRUSTED]: 'bob' }],
    ['the gateway names somebody beyond ASCII', null, { [TRUSTED]: 'zo\xeb' }],
    ['the gateway names somebody beyond ASCII, in UTF-8', null, { [TRUSTED]: 'zo\xc3\xab' }],
    ['only a header that nobody trusts names somebody', null, { [HEADER]: 'alice' }],
  ])('behind a gateway is refused, and does nothing, when %s', async (_what, userId, headers) => {
    const call = by(userId, await goodCall(operationId, throughGateway(guarded)));
    const before = await guarded.eventsInLog();
    const { status, problem } = await sendWith(taking, call, headers, guarded);
    // Who is nobody does not see that a closed conversation is there.
    const codes = userId === null ? ['invalid_request', 'not_found'] : ['invalid_request'];
    expect([status === 200 || status === 201, codes]).toEqual([
      false,
      expect.arrayContaining([problem?.code]),
    ]);
    expect(await guarded.eventsInLog()).toBe(before);
  });

  it('behind a gateway is of the user that it names', async () => {
    const call = by(null, await goodCall(operationId, throughGateway(guarded)));
    const { problem } = await sendWith(taking, call, { [TRUSTED]: 'alice' }, guarded);
    // There is no database behind this one: what needs it got that far.
    expect([undefined, 'database_unavailable']).toContain(problem?.code);
  });
});
