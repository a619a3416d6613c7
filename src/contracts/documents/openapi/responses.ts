import { ERRORS, type ErrorCode } from '../../errors.ts';
import { Problem } from '../../http/answers/problem.ts';
import type { JsonSchema, JsonSchemas } from '../jsonSchemas.ts';
import type { ResponseHeader } from './headers.ts';
import type { Answer, Operation } from './operation.ts';
import { EVERYWHERE } from './operations/errors.ts';

export interface OpenApiContent {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers: Record<string, { readonly $ref: string }>;
  readonly content?: Record<string, OpenApiContent>;
}

/** All that an operation may answer, by status. */
export function responsesOf(operation: Operation, schemas: JsonSchemas): Record<string, OpenApiResponse> {
  const { answers, errors = [], conditional = false } = operation;
  const responses: Record<string, OpenApiResponse> = {};
  for (const [status, answer] of Object.entries(answers))
    responses[status] = success(answer, conditional, schemas);
  if (conditional)
    responses['304'] = { description: 'What the client has is what there is.', headers: headers(['ETag']) };
  const changing = operation.method === 'get' ? [] : (['forbidden'] as const);
  for (const [status, codes] of byStatus([...new Set([...errors, ...changing, ...EVERYWHERE])]))
    responses[status] = failure(codes, schemas);
  return responses;
}

function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function success(answer: Answer, conditional: boolean, schemas: JsonSchemas): OpenApiResponse {
  const { description, schema, mediaType = 'application/json', example } = answer;
  const names = [...(answer.headers ?? []), ...(conditional ? (['ETag'] as const) : [])];
  const response = { description, headers: headers(names) };
  if (schema === undefined) return response;
  const content = { schema: schemas.ofOutput(schema), ...(example !== undefined && { example }) };
  const mediaTypes = typeof mediaType === 'string' ? [mediaType] : mediaType;
  return { ...response, content: Object.fromEntries(mediaTypes.map((type) => [type, content])) };
}

/** Headers that come with a code, whatever was asked for. */
const HEADERS_OF: Partial<Record<ErrorCode, readonly ResponseHeader[]>> = {
  range_not_satisfiable: ['Content-Range'],
};

/** The codes that come with a status, as part of its schema. */
function failure(codes: readonly ErrorCode[], schemas: JsonSchemas): OpenApiResponse {
  const lines = codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`);
  const waits = codes.some((code) => ERRORS[code].retryable);
  const schema = { allOf: [schemas.ofOutput(Problem), { properties: { code: { enum: [...codes] } } }] };
  return {
    description: lines.join(' '),
    headers: headers([
      ...(waits ? (['Retry-After'] as const) : []),
      ...codes.flatMap((code) => HEADERS_OF[code] ?? []),
    ]),
    content: { 'application/problem+json': { schema } },
  };
}

function headers(names: readonly ResponseHeader[]): OpenApiResponse['headers'] {
  const all: readonly ResponseHeader[] = ['X-Request-Id', ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
