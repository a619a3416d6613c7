import { WS_SUBPROTOCOL } from '../../frames/clientFrames.ts';
import { ConversationId, UserId } from '../../ids.ts';
import type { JsonSchema, JsonSchemas } from '../jsonSchemas.ts';
import { answersTo, type DescribedFrame, isAnswer, isNotice, without } from './frames.ts';

export interface Message {
  /** The name of the event, where the transport has one. */
  readonly name?: string;
  readonly title: string;
  readonly summary?: string;
  readonly contentType: 'application/json';
  readonly payload: JsonSchema;
}

export interface Channel {
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly servers: readonly { readonly $ref: string }[];
  readonly messages: Record<string, Message>;
  readonly parameters?: object;
  readonly bindings?: object;
}

/** What one channel carries: what comes from clients, what answers them, what comes unasked. */
export interface Traffic {
  /** Each with the messages of which one is its answer. */
  readonly requests: Readonly<Record<string, readonly string[]>>;
  readonly notices: readonly string[];
  readonly channel: Channel;
}

interface Frames {
  readonly client: readonly DescribedFrame[];
  readonly server: readonly DescribedFrame[];
  readonly schemas: JsonSchemas;
}

const server = (name: string) => [{ $ref: `#/servers/${name}` }];
const named = (frames: readonly DescribedFrame[]) => frames.map(({ name }) => name);

function message(frame: DescribedFrame, payload: JsonSchema, event?: string): [string, Message] {
  const { name, description } = frame;
  const summary = description === '' ? {} : { summary: description };
  const title = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2');
  return [
    name,
    {
      ...(event !== undefined && { name: event }),
      title,
      ...summary,
      contentType: 'application/json',
      payload,
    },
  ];
}

/** The native protocol: every frame as it is. */
export function nativeChannel({ client, server: sent, schemas }: Frames): Traffic {
  const frames = [...client, ...sent];
  const query = {
    type: 'object',
    required: ['userId'],
    properties: { userId: schemas.ofInput(UserId) },
  };
  return {
    requests: Object.fromEntries(client.map((frame) => [frame.name, named(answersTo(frame, sent))])),
    notices: named(sent.filter(isNotice)),
    channel: {
      address: '/ws',
      title: 'Native WebSocket',
      description: `JSON text frames, one object each; subprotocol \`${WS_SUBPROTOCOL}\`. Every request but \`typing\` gets one answer.`,
      servers: server('edge'),
      messages: Object.fromEntries(
        frames.map((frame) => message(frame, { $ref: `#/components/schemas/${frame.name}` })),
      ),
      bindings: { ws: { method: 'GET', query, bindingVersion: '0.1.0' } },
    },
  };
}

/** Typing has no answer; its acknowledgement says that it was taken. */
const TYPING_ACK: Message = {
  title: 'Typing (acknowledgement)',
  contentType: 'application/json',
  payload: { type: 'object', properties: {} },
};

/** Socket.IO: the name of the event says the operation, the acknowledgement which request is answered. */
export function socketIoChannel({ client, server: sent }: Frames): Traffic {
  const requests = client.map((frame) => message(frame, without(frame.schema, 'op', 'id'), frame.op));
  const replies = sent.filter(isAnswer).map((frame) => {
    const [name, reply] = message(frame, acknowledgement(frame));
    return [`${name}Ack`, { ...reply, title: `${reply.title} (acknowledgement)` }] as const;
  });
  const emitted = sent
    .filter(isNotice)
    .filter(({ op }) => op !== 'error')
    .map((frame) => message(frame, without(frame.schema, 'op', 'id'), frame.op));
  const answers = (frame: DescribedFrame) =>
    frame.op === 'typing'
      ? ['TypingAck', 'ErrorFrameAck']
      : named(answersTo(frame, sent)).map((name) => `${name}Ack`);
  return {
    requests: Object.fromEntries(client.map((frame) => [frame.name, answers(frame)])),
    notices: emitted.map(([name]) => name),
    channel: {
      address: '/socket.io/',
      title: 'Socket.IO',
      description:
        'Socket.IO 4, over WebSocket and long-polling, default namespace. `auth.userId`, or the query `userId`, names the' +
        ' user. A payload is the one argument of its event; a reply is the one argument of the acknowledgement. Every event' +
        ' with an acknowledgement gets exactly one.',
      servers: server('edge'),
      messages: Object.fromEntries([...requests, ...replies, ['TypingAck', TYPING_ACK], ...emitted]),
    },
  };
}

/** An acknowledgement gets the answer without `op` and `id`, or the error by itself. */
function acknowledgement({ op, schema }: DescribedFrame): JsonSchema {
  const payload = without(schema, 'op', 'id');
  if (op !== 'error') return payload;
  return { type: 'object', properties: { error: payload }, required: ['error'] };
}

/** Event streams: an event has no name and its seq as id; notices are named. */
export function eventStreamChannel({ server: sent, schemas }: Frames): Traffic {
  // The stream itself is the one request there is: of all answers, only that of joining is sent.
  const frames = sent
    .filter((frame) => isNotice(frame) || frame.op === 'joined')
    .filter(({ op }) => op !== 'error');
  const messages = frames.map((frame) =>
    message(frame, without(frame.schema, 'op', 'id'), frame.op === 'event' ? undefined : frame.op),
  );
  return {
    requests: {},
    notices: messages.map(([name]) => name),
    channel: {
      address: '/api/chat/conversations/{conversationId}/events',
      title: 'Event stream',
      description:
        'Server-sent events (`text/event-stream`), for clients that only listen. A message is the `data` of an event; its' +
        ' name, if it has one, the `event`; of what has none, `seq` is the `id`. `joined` has an `id` to go on from, too.',
      servers: server('api'),
      messages: Object.fromEntries(messages),
      parameters: {
        conversationId: { description: schemas.resolve(schemas.ofInput(ConversationId)).description },
      },
    },
  };
}
