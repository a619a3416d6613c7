import type { MessageEdited, MessagePosted } from '../../src/domain/conversation/events.ts';
import type { Batch } from '../runner/projection.ts';

/** What a batch of events amounts to in the search documents. */
export interface SearchChanges {
  /** The first event of each message id; whether it is new is decided against the table. */
  readonly posted: readonly { seq: number; event: MessagePosted }[];
  /** The last edit of each message. */
  readonly edited: readonly { seq: number; event: MessageEdited }[];
  /** Messages of which nothing may be found any more. They are in neither of the lists above. */
  readonly deleted: readonly { messageId: string; conversationId: string }[];
}

/** Reduces events to row changes. Pure, and the outcome does not depend on how the log is cut into batches. */
export function projectSearch({ events }: Pick<Batch, 'events'>): SearchChanges {
  const posted = new Map<string, { seq: number; event: MessagePosted }>();
  const edited = new Map<string, { seq: number; event: MessageEdited }>();
  const deleted = new Map<string, { messageId: string; conversationId: string }>();
  for (const { seq, event } of events) {
    switch (event.type) {
      case 'MessagePosted':
        if (!posted.has(event.messageId)) posted.set(event.messageId, { seq, event });
        break;
      case 'MessageEdited':
        edited.set(event.messageId, { seq, event });
        break;
      case 'MessageDeleted': {
        const { messageId, conversationId } = event;
        deleted.set(messageId, { messageId, conversationId });
        break;
      }
      default:
        break;
    }
  }
  // A deletion wins over whatever came before it or comes after it.
  const stays = ({ event }: { event: MessagePosted | MessageEdited }) => !deleted.has(event.messageId);
  return {
    posted: [...posted.values()].filter(stays),
    edited: [...edited.values()].filter(stays),
    deleted: [...deleted.values()],
  };
}
