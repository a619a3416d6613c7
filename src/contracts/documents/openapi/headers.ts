import type { JsonSchema } from '../jsonSchemas.ts';

interface Header {
  readonly description: string;
  readonly schema: JsonSchema;
  /** Of an answer: it is always there. */
  readonly required?: true;
}

const text: JsonSchema = { type: 'string' };

/** Headers that clients may send. */
export const REQUEST_HEADERS = {
  'X-Request-Id': {
    description: 'Names the request in answers and logs; else the server does.',
    schema: { ...text, pattern: '^[A-Za-z0-9._:-]{1,128}$' },
  },
  'X-User-Id': {
    description: 'The user, named by a gateway: stands for the field `userId`, and must not contradict it.',
    schema: { $ref: '#/components/schemas/UserId' },
  },
  'Idempotency-Key': {
    description:
      'Stands for the field `clientConversationId`, and must not contradict it; with or without quotes.',
    schema: text,
  },
  Prefer: {
    description: '`wait=durable`: answer after the commit in Postgres that holds the message (RFC 7240).',
    schema: { ...text, examples: ['wait=durable'] },
  },
  'If-None-Match': {
    description: 'The `ETag` of what the client has: if nothing changed, the answer is 304.',
    schema: text,
  },
  'Last-Event-ID': {
    description:
      'The last event seen; goes before `after`. Browsers send it by themselves when they come back.',
    schema: { ...text, pattern: '^(\\d{1,15})?$' },
  },
  Range: { description: 'One range of bytes.', schema: { ...text, examples: ['bytes=0-1023'] } },
} as const satisfies Record<string, Header>;
export type RequestHeader = keyof typeof REQUEST_HEADERS;

/** Headers of answers. */
export const RESPONSE_HEADERS = {
  'X-Request-Id': { description: 'Names the request, in the logs too.', schema: text, required: true },
  ETag: { description: 'Names what was answered; changes with it.', schema: text, required: true },
  Location: { description: 'Where that which was made is.', schema: text, required: true },
  'Accept-Ranges': { description: '`bytes`.', schema: { ...text, const: 'bytes' }, required: true },
  'Content-Disposition': {
    description: '`attachment`, with the name of the file.',
    schema: { ...text, pattern: '^attachment; ' },
    required: true,
  },
  'Content-Range': {
    description: 'Which bytes of how many; of a range that there is not, `*` of how many.',
    schema: { ...text, pattern: '^bytes (\\d+-\\d+|\\*)/\\d+$' },
    required: true,
  },
  'Preference-Applied': { description: '`wait=durable`, if so it is.', schema: text },
  'Retry-After': {
    description: 'When to try again, in seconds.',
    schema: { ...text, pattern: '^\\d+$' },
    required: true,
  },
} as const satisfies Record<string, Header>;
export type ResponseHeader = keyof typeof RESPONSE_HEADERS;
