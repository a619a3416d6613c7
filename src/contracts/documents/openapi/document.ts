import { Problem } from '../../http/answers/problem.ts';
import { UserId } from '../../ids.ts';
import { type JsonSchema, JsonSchemas } from '../jsonSchemas.ts';
import { REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.ts';
import { type Operation, TAGS } from './operation.ts';
import { OPERATIONS } from './operations/all.ts';
import { type OpenApiParameter, parametersOf } from './parameters.ts';
import { type OpenApiContent, type OpenApiResponse, responsesOf } from './responses.ts';

/** As much of OpenAPI 3.1 as is written here. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: object;
  readonly servers: readonly object[];
  readonly security: readonly object[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Record<string, Record<string, OpenApiOperation>>;
  readonly components: {
    readonly schemas: Record<string, JsonSchema>;
    readonly parameters: Record<string, OpenApiParameter>;
    readonly headers: object;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly (OpenApiParameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly required: true; readonly content: Record<string, OpenApiContent> };
  readonly responses: Record<string, OpenApiResponse>;
}

export interface OpenApiOptions {
  /** Of the product. */
  readonly version: string;
  /** Default: all there are. */
  readonly operations?: readonly Operation[];
}

const DESCRIPTION = `Conversations and messages as events in a log, and read models of them.

**There is no authentication.** The API stands behind a gateway that knows its users; \`userId\` is opaque and believed. The
gateway may name the user in the header \`X-User-Id\`, which then stands for the field \`userId\`. A process may be set to trust
such a header alone (\`TRUSTED_USER_HEADER\`): a field that says something else is refused then.

Unknown fields in requests are refused; ignore unknown fields in answers. Errors are \`application/problem+json\`; their
\`code\` is what to decide by. \`seq\` is a place in the log, \`position\` the same for clients to hand back. What is not HTTP is answered
with 400, headers of more than 16 KiB with 413 and what does not come in time with 408, whatever was asked for; another method than
those below with 405.`;

/**
 * The API as an OpenAPI 3.1 document.
 *
 * @throws Error when the table names two different schemas alike
 */
export function buildOpenApi({ version, operations = OPERATIONS }: OpenApiOptions): OpenApiDocument {
  const schemas = new JsonSchemas('draft-2020-12');
  schemas.ofOutput(Problem);
  schemas.ofInput(UserId);
  const paths: OpenApiDocument['paths'] = {};
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method] = describe(operation, schemas);
    paths[operation.path] = methods;
  }
  const used = new Set(operations.map(({ tag }) => tag));
  const tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'chat-backend',
      version,
      description: DESCRIPTION,
      contact: { name: 'chat-backend' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this document is from.' }],
    security: [],
    tags: tags.filter(({ name }) => [...used].some((tag) => tag === name)),
    paths,
    components: {
      schemas: sorted(schemas.components),
      parameters: headerParameters(),
      headers: RESPONSE_HEADERS,
    },
  };
}

function describe(operation: Operation, schemas: JsonSchemas): OpenApiOperation {
  const { operationId, summary, description, tag, body } = operation;
  return {
    operationId,
    tags: [tag],
    summary,
    description: description ?? `${summary}.`,
    parameters: parametersOf(operation, schemas),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body, schemas) } }),
    responses: responsesOf(operation, schemas),
  };
}

function contentOf(
  { schema, mediaType = 'application/json', example }: NonNullable<Operation['body']>,
  schemas: JsonSchemas,
) {
  return { [mediaType]: { schema: schemas.ofInput(schema), ...(example !== undefined && { example }) } };
}

function headerParameters(): Record<string, OpenApiParameter> {
  const entries = Object.entries(REQUEST_HEADERS);
  return Object.fromEntries(entries.map(([name, header]) => [name, { name, in: 'header', ...header }]));
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
