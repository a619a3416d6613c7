import fc from 'fast-check';
import { describe, expect, expectTypeOf, it, test } from 'vitest';
import type { z } from 'zod';
import type * as clientHttp from '../../../client/src/httpShapes.ts';
import * as limits from '../../../client/src/limits.ts';
import type * as sdk from '../../../client/src/protocol.ts';
import { CLOSE_CODE, SUBPROTOCOL } from '../../../client/src/protocol.ts';
import { parseServerFrame } from '../../../client/src/serverFrames.ts';
import { ERRORS } from '../../../src/contracts/errors.ts';
import { ChatEventSchema } from '../../../src/contracts/events/events.ts';
import { ClientFrame, WS_SUBPROTOCOL } from '../../../src/contracts/frames/clientFrames.ts';
import { DISCONNECTS } from '../../../src/contracts/frames/disconnects.ts';
import type { ServerFrame } from '../../../src/contracts/frames/serverFrames.ts';
import type * as conversations from '../../../src/contracts/http/answers/conversations.ts';
import type * as messages from '../../../src/contracts/http/answers/messages.ts';
import * as ids from '../../../src/contracts/ids.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { LinkedEvent } from '../../../src/edge/linkedEvent.ts';
import { encodeServerFrame } from '../../../src/edge/transports/native/serverFrame.ts';
import { sdkClient } from '../../support/client/sdkClient.ts';
import { chatEvent, content, userId } from '../../support/domain/arbitraries.ts';
import { C1, M1 } from '../../support/domain/conversations.ts';

const U1 = 'u_AAAAAAAAAAAAAAAAAAAAA';

/** Frames of the protocol that a server of this version may not know yet. */
const AHEAD: sdk.ClientFrame['op'][] = [];

const CLIENT_FRAMES: { [Op in sdk.ClientFrame['op']]: Extract<sdk.ClientFrame, { op: Op }>[] } = {
  join: [
    { op: 'join', id: 1, conversationId: C1 },
    { op: 'join', id: 1, conversationId: '*', after: 120 },
    { op: 'join', id: 1, conversationId: C1, after: 120 },
    { op: 'join', id: 1, conversationId: C1, after: 0, epoch: 'e1' },
  ],
  leave: [{ op: 'leave', id: 2, conversationId: C1 }],
  send: [
    { op: 'send', id: 3, conversationId: C1, clientMessageId: 'k1', content: 'hi' },
    {
      op: 'send',
      id: 3,
      conversationId: C1,
      clientMessageId: crypto.randomUUID(),
      content: 'hi',
      replyTo: M1,
      attachments: [U1],
    },
  ],
  typing: [{ op: 'typing', conversationId: C1 }],
  read: [{ op: 'read', id: 4, conversationId: C1, seq: 138 }],
  ping: [{ op: 'ping', id: 5 }],
  edit: [{ op: 'edit', id: 6, conversationId: C1, messageId: M1, content: 'better', seq: 7 }],
  delete: [{ op: 'delete', id: 7, conversationId: C1, messageId: M1, erase: true }],
  react: [{ op: 'react', id: 8, conversationId: C1, messageId: M1, emoji: '👍' }],
  unreact: [{ op: 'unreact', id: 9, conversationId: C1, messageId: M1, emoji: '👍' }],
  presence: [{ op: 'presence', id: 10, userIds: ['alice'] }],
};

const SERVER_FRAMES: { [Op in ServerFrame['op']]: Extract<ServerFrame, { op: Op }>[] } & Record<
  string,
  ServerFrame[]
> = {
  joined: [{ op: 'joined', id: 1, conversationId: C1, head: 137, epoch: 'e1' }],
  left: [
    { op: 'left', id: 2, conversationId: C1 },
    { op: 'left', id: null, conversationId: C1 },
  ],
  typing: [{ op: 'typing', conversationId: C1, userId: 'bob' }],
  ack: [
    { op: 'ack', id: 3, messageId: M1, seq: 138, level: 'accepted', duplicate: false },
    { op: 'ack', id: 4, conversationId: C1, seq: 138 },
  ],
  pong: [{ op: 'pong', id: 5 }],
  changed: [
    { op: 'changed', id: 6, messageId: M1, seq: 139, position: 'e1:139', at: '2026-01-01T00:00:00.000Z' },
  ],
  presence: [{ op: 'presence', id: 10, presence: { alice: 'online' } }],
  resync: [
    { op: 'resync', conversationId: C1, reason: 'epoch' },
    { op: 'resync', conversationId: C1, reason: 'expired' },
  ],
  draining: [{ op: 'draining', retryAfterMs: 500 }],
  error: [
    { op: 'error', id: null, code: 'invalid_request', detail: 'The frame is not JSON.', retryable: false },
    { op: 'error', id: 3, code: 'overloaded', detail: 'Not now.', retryable: true, retryAfterMs: 1_000 },
  ],
};

type Known = Extract<sdk.ClientFrame, { op: ClientFrame['op'] }>;

test('by type: what the client sends the server takes, and what the server sends the client understands', () => {
  expectTypeOf<Known>().toExtend<ClientFrame>();
  expectTypeOf<ClientFrame['op']>().toExtend<sdk.ClientFrame['op']>();
  expectTypeOf<ServerFrame>().toExtend<sdk.ServerFrame>();
  expectTypeOf<ChatEvent>().toExtend<sdk.ChatEvent>();
  expectTypeOf<conversations.ConversationView>().toEqualTypeOf<clientHttp.Conversation>();
  expectTypeOf<messages.MessageView>().toEqualTypeOf<clientHttp.Message>();
  expectTypeOf<conversations.ConversationSummary>().toEqualTypeOf<clientHttp.ConversationSummary>();
  expectTypeOf<messages.SearchHit>().toEqualTypeOf<clientHttp.SearchHit>();
  expectTypeOf<z.infer<typeof messages.SearchPage>>().toExtend<clientHttp.SearchPage>();
  expectTypeOf<z.infer<typeof messages.EditedMessage>>().toExtend<clientHttp.EditedMessage>();
  expectTypeOf<z.infer<typeof messages.DeletedMessage>>().toExtend<clientHttp.DeletedMessage>();
  expectTypeOf<z.infer<typeof messages.ChangedReaction>>().toExtend<clientHttp.ChangedReaction>();
  expectTypeOf<messages.LagView>().toEqualTypeOf<clientHttp.HistoryPage['lag']>();
});

describe('what the client sends', () => {
  const known = new Set<string>(ClientFrame.options.map(({ shape }) => shape.op.value));

  it.each(Object.entries(CLIENT_FRAMES))('%s is taken by the server as it is', (op, frames) => {
    if (!known.has(op)) return expect(AHEAD).toContain(op);
    for (const frame of frames) expect(ClientFrame.parse(frame)).toStrictEqual(frame);
  });

  it('covers every operation of the server', () => {
    expect(Object.keys(CLIENT_FRAMES)).toEqual(expect.arrayContaining([...known]));
  });
});

describe('what the server sends', () => {
  it.each(Object.values(SERVER_FRAMES).flat())('is read by the client as it is: $op', (frame) => {
    expect(parseServerFrame(encodeServerFrame(frame))).toStrictEqual(frame);
  });

  it('is read by the client as it is: any event', () => {
    fc.assert(
      fc.property(chatEvent, fc.nat(), fc.nat(), (event, seq, prev) => {
        const bytes = new TextEncoder().encode(JSON.stringify(event));
        const stored = { seq, conversationId: C1, category: 'message', bytes, storedAtMs: 0 } as const;
        const text = new TextDecoder().decode(new LinkedEvent(stored, prev).frame('native'));
        expect(parseServerFrame(text)).toStrictEqual({ op: 'event', seq, prev, event });
      }),
    );
  });

  it('is passed over when it is anything else, and nothing is thrown', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseServerFrame(text) === null));
  });
});

test('events that the client knows by type are those of the schema, and reactions, which are to come', () => {
  const types = new Set<string>(ChatEventSchema.options.map(({ shape }) => shape.type.value));
  const known: Record<sdk.ChatEvent['type'], true> = {
    MessagePosted: true,
    MessageEdited: true,
    MessageDeleted: true,
    ReactionAdded: true,
    ReactionRemoved: true,
    ConversationCreated: true,
    ConversationRenamed: true,
    ConversationArchived: true,
    ParticipantAdded: true,
    ParticipantRemoved: true,
  };
  for (const type of types) expect(known).toHaveProperty(type);
});

/** Close codes that a server of this version does not send yet. */
const CODES_AHEAD = { blocked: 4003, rateLimited: 4029 };

test('the subprotocol and the close codes are those of the server', () => {
  expect(SUBPROTOCOL).toBe(WS_SUBPROTOCOL);
  const { normal, ...ofServer } = CLOSE_CODE;
  expect(normal).toBe(1000);
  for (const [name, code] of Object.entries(ofServer)) {
    expect({ [name]: code }).toEqual({ [name]: SERVER_CODES[name] });
  }
});

const SERVER_CODES: Record<string, number> = {
  ...Object.fromEntries(Object.entries(DISCONNECTS).map(([name, { code }]) => [name, code])),
  ...CODES_AHEAD,
};

test.each(Object.entries(DISCONNECTS))(
  'after %s it comes back exactly if it may',
  (_name, { code, reason, reconnect }) => {
    const { chat, clock, sockets, last } = sdkClient();
    chat.connect();
    last().accept();
    last().end(code, reason);
    clock.advance(100_000);
    expect(sockets.length > 1).toBe(reconnect);
    expect(chat.state === 'closed').toBe(!reconnect);
  },
);

test('what the server calls retryable includes what the client retries', () => {
  for (const code of ['log_unavailable', 'overloaded', 'unknown_outcome'] as const) {
    expect(ERRORS[code].retryable).toBe(true);
  }
});

describe('what the client refuses is what the server would refuse', () => {
  const passes = (check: () => void) => {
    try {
      check();
      return true;
    } catch {
      return false;
    }
  };
  const odd = fc.constantFrom(
    '',
    ' ',
    '\0',
    '\n',
    '\ud800',
    '\u200b',
    '😀',
    'x'.repeat(128),
    'x'.repeat(129),
  );
  const anyText = fc.oneof(fc.string({ unit: 'binary' }), userId, content, odd);

  it.each([
    ['userId', limits.checkUserId, ids.UserId],
    ['clientMessageId', limits.checkClientMessageId, ids.ClientMessageId],
    ['clientConversationId', limits.checkClientConversationId, ids.ClientConversationId],
    ['conversationId', limits.checkConversationId, ids.ConversationId],
    ['messageId', (id: string) => limits.checkMessageId('messageId', id), ids.MessageId],
    ['content', limits.checkContent, ids.Content],
    ['emoji', limits.checkEmoji, ids.AnyEmoji],
    ['uploadId', (id: string) => limits.checkUploadId('uploadId', id), ids.UploadId],
  ] as const)('%s', (_name, check, schema) => {
    const texts = fc.oneof(
      anyText,
      fc.constantFrom(
        C1,
        M1,
        U1,
        `${C1}A`,
        'c_',
        '👍🏽',
        '.',
        'a b',
        'x'.repeat(33),
        '😀'.repeat(8_000),
        '😀'.repeat(8_001),
      ),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(passes(() => check(text))).toBe(schema.safeParse(text).success);
      }),
    );
  });

  const many = (count: number, name: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => name(n));
  const upload = (n: number) => `u_${String(n).padStart(21, '0')}`;

  it.each([[[]], [[U1]], [['u_1']], [[U1, U1]], [many(10, upload)], [many(11, upload)]])(
    'attachments %j',
    (attachments) => {
      expect(passes(() => limits.checkAttachments(attachments))).toBe(
        ids.AttachmentIds.safeParse(attachments).success,
      );
    },
  );

  it.each([[[]], [['bob']], [['bob', '']], [many(200, String)], [many(201, String)]])(
    'ids of users %j',
    (userIds) => {
      const frame = { op: 'presence', id: 1, userIds };
      expect(passes(() => limits.checkUserIds(userIds))).toBe(ClientFrame.safeParse(frame).success);
    },
  );
});
