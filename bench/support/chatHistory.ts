import { encodeEvent } from '../../src/contracts/events/events.ts';
import type { MessagePosted } from '../../src/domain/conversation/events.ts';
import type { JetStreamLog } from '../../src/eventlog/jetstream/jetStreamLog.ts';
import { systemIds } from '../../src/platform/ids.ts';

/** Appends that are under way at a time. */
const WINDOW = 8_192;
const USERS = 2_000;
const CONTENT = 'x'.repeat(100);

/** Appends a number of new conversations. @returns their ids */
export async function appendConversations(log: JetStreamLog, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => systemIds.conversationId());
  const at = new Date().toISOString();
  await inWindows(count, (n) => {
    const conversationId = ids[n] ?? '';
    const who = { participantIds: ['bench'], createdBy: 'bench', createdAt: at };
    const state = { title: 'bench', visibility: 'open' as const, ...who, archived: false };
    const event = { type: 'ConversationCreated', v: 1, conversationId, userId: 'bench', at, state } as const;
    const idempotencyKey = systemIds.idempotencyKey();
    return log.append({
      conversationId,
      category: 'conversation',
      bytes: encodeEvent(event),
      idempotencyKey,
    });
  });
  return ids;
}

/** Appends a number of messages to these conversations, in turns. @param contentOf what the nth says */
export async function appendMessages(
  log: JetStreamLog,
  count: number,
  conversationIds: readonly string[],
  onMessage: (message: MessagePosted) => void = () => {},
  contentOf: (n: number) => string = () => CONTENT,
): Promise<void> {
  const messageOf = messagesTo(conversationIds, contentOf);
  await inWindows(count, (n) => {
    const event = messageOf(n);
    onMessage(event);
    const { conversationId, messageId } = event;
    const bytes = encodeEvent(event);
    return log.append({ conversationId, category: 'message', bytes, idempotencyKey: messageId });
  });
}

/** New messages to these conversations, in turns. @returns the nth */
export function messagesTo(
  conversationIds: readonly string[],
  contentOf: (n: number) => string = () => CONTENT,
): (n: number) => MessagePosted {
  const at = new Date().toISOString();
  const run = systemIds.idempotencyKey();
  return (n) => {
    // A step that shares no factor with their number visits all of them, in no order that a page of rows would know.
    const conversationId = conversationIds[(n * 7_919) % conversationIds.length] ?? '';
    const ids = { clientMessageId: `${run}-${n}`, userId: `user-${(n * 7) % USERS}`, conversationId };
    const messageId = systemIds.messageId(ids.conversationId, ids.userId, ids.clientMessageId);
    const rest = { content: contentOf(n), replyTo: null, attachments: [], at };
    return { type: 'MessagePosted', v: 1, messageId, ...ids, ...rest };
  };
}

async function inWindows(count: number, append: (n: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < count; start += WINDOW) {
    const size = Math.min(WINDOW, count - start);
    await Promise.all(Array.from({ length: size }, (_, n) => append(start + n)));
  }
}
