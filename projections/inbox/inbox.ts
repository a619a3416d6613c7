import type { ClientBase } from 'pg';
import type { Projection } from '../runner/projection.ts';
import { type ConversationActivity, type InboxChanges, projectInbox } from './changes.ts';
import {
  addMembers,
  digestInbox,
  forgetSilent,
  noteAuthors,
  raiseEntries,
  removeMembers,
  touchConversations,
  upsertConversations,
} from './statements.ts';

/** Whose list shows which conversation, in which order: what lists are paged by and searches are limited to. */
export function inboxProjection(projectRoot: URL): Projection<InboxChanges> {
  return {
    name: 'inbox',
    format: 1,
    schemaSql: new URL('projections/inbox/schema.sql', projectRoot),
    relations: ['inbox_conversations', 'inbox_entries'],
    project: projectInbox,
    write: writeInbox,
    digestSql: digestInbox,
  };
}

/** Order matters: entries take the hour of their conversation, and having posted tells apart those who leave. */
async function writeInbox(client: ClientBase, schema: string, changes: InboxChanges): Promise<void> {
  await writeConversations(client, schema, changes.conversations);
  const { authors } = changes;
  const added = changes.participants.filter(({ member }) => member);
  const removed = changes.participants.filter(({ member }) => !member);
  if (added.length > 0) await client.query(addMembers(schema), [...keys(added), seqs(added)]);
  if (authors.length > 0) await client.query(noteAuthors(schema), [...keys(authors), seqs(authors)]);
  if (removed.length > 0) {
    await client.query(removeMembers(schema), keys(removed));
    await client.query(forgetSilent(schema), keys(removed));
  }
}

async function writeConversations(
  client: ClientBase,
  schema: string,
  rows: readonly ConversationActivity[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(raiseEntries(schema), [ids(rows), buckets(rows)]);
  const changed = rows.filter(({ open }) => open !== null);
  const touched = rows.filter(({ open }) => open === null);
  if (changed.length > 0) {
    const opens = changed.map(({ open }) => open);
    await client.query(upsertConversations(schema), [ids(changed), opens, times(changed), buckets(changed)]);
  }
  if (touched.length > 0) {
    await client.query(touchConversations(schema), [ids(touched), times(touched), buckets(touched)]);
  }
}

const ids = (rows: readonly ConversationActivity[]) => rows.map(({ conversationId }) => conversationId);
const times = (rows: readonly ConversationActivity[]) => rows.map(({ at }) => at);
const buckets = (rows: readonly ConversationActivity[]) => rows.map(({ bucket }) => bucket);
const seqs = (rows: readonly { seq: number }[]) => rows.map(({ seq }) => seq);

function keys(rows: readonly { userId: string; conversationId: string }[]): [string[], string[]] {
  return [rows.map(({ userId }) => userId), rows.map(({ conversationId }) => conversationId)];
}
