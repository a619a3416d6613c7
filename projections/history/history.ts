import { type ClientBase, DatabaseError } from 'pg';
import { plainArray, textArray } from '../runner/pgArray.ts';
import { BATCH_SAVEPOINT, type Projection } from '../runner/projection.ts';
import { PoisonError } from '../runner/store.ts';
import { type HistoryChanges, isRepeat, type MessageIdentity, numbered, projectHistory } from './changes.ts';
import {
  addParticipants,
  addReactions,
  deleteMessages,
  digestHistory,
  editMessages,
  eraseMessage,
  insertErased,
  insertMessages,
  MESSAGES_KEY,
  makeRoom,
  removeParticipants,
  removeReactions,
  rewindHistory,
  selectKnownMessages,
  upsertConversations,
} from './statements.ts';

/** Conversations, who takes part, and what was said: what history pages and conversation lists are read from. */
export function historyProjection(projectRoot: URL): Projection<HistoryChanges> {
  return {
    name: 'history',
    format: 4,
    schemaSql: new URL('projections/history/schema.sql', projectRoot),
    relations: ['conversations', 'participants', 'messages', 'reactions'],
    project: projectHistory,
    write: writeHistory,
    digestSql: digestHistory,
    rewindSql: rewindHistory,
  };
}

/**
 * Nearly always none of a batch's messages is in the table yet, so they are inserted without a check. Only when some were
 * there (a repeat that came after the log's own window) is everything taken back and done again without them.
 */
async function writeHistory(client: ClientBase, schema: string, changes: HistoryChanges): Promise<void> {
  if (await tryWrite(client, schema, changes)) return;
  await client.query(`ROLLBACK TO SAVEPOINT ${BATCH_SAVEPOINT}`);
  const posted = withoutRepeats(changes.posted, await knownMessages(client, schema, changes.posted));
  if (await tryWrite(client, schema, { ...changes, posted })) return;
  throw new Error('Messages were inserted by somebody else, although this worker holds the checkpoint');
}

/**
 * Order matters: messages need their conversation, edits their message; a deletion comes before reactions, which then find
 * nothing to react to, whether they came before it or after.
 *
 * @returns false as soon as a message turns out to be there already
 */
async function tryWrite(client: ClientBase, schema: string, changes: HistoryChanges): Promise<boolean> {
  await writeConversations(client, schema, changes.conversations);
  if (!(await insertPosted(client, schema, changes.posted))) return false;
  await writeParticipants(client, schema, changes.participants);
  await writeEdits(client, schema, changes.edited);
  await writeDeletions(client, schema, changes.deleted);
  await writeErasures(client, schema, changes.erased);
  await writeReactions(client, schema, changes.reactions);
  return true;
}

async function knownMessages(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['posted'],
): Promise<Map<string, MessageIdentity>> {
  const ids = rows.map(({ event }) => event.messageId);
  const known = await client.query<MessageIdentity & { message_id: string }>(selectKnownMessages(schema), [
    ids,
  ]);
  return new Map(known.rows.map((row) => [row.message_id, row]));
}

/**
 * @param known whose the message ids are so far
 * @throws PoisonError for a message with the id of another one
 */
function withoutRepeats(
  posted: HistoryChanges['posted'],
  known: Map<string, MessageIdentity>,
): HistoryChanges['posted'] {
  return posted.filter(({ event }) => {
    const { messageId } = event;
    const first = known.get(messageId);
    if (first === undefined) {
      known.set(messageId, event);
      return true;
    }
    if (isRepeat(event, first)) return false;
    throw new PoisonError(
      `its message id ${messageId} is that of another message, from ${first.userId} in ${first.conversationId}. ` +
        'Ids follow from conversation, author and client message id, so something else than chat-backend wrote it',
    );
  });
}

async function writeConversations(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['conversations'],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(upsertConversations(schema), [
    rows.map((row) => row.id),
    rows.map((row) => row.state.title),
    rows.map((row) => row.state.visibility),
    rows.map((row) => row.state.createdBy),
    rows.map((row) => row.state.createdAt),
    rows.map((row) => row.state.archived),
    rows.map((row) => JSON.stringify(row.state.participantIds)),
    rows.map((row) => row.seq),
  ]);
}

/** @returns false when one of them is there already: then the transaction is good for nothing but taking back */
async function insertPosted(
  client: ClientBase,
  schema: string,
  posted: HistoryChanges['posted'],
): Promise<boolean> {
  if (posted.length === 0) return true;
  const { rows, conversationIds } = numbered(posted);
  try {
    await client.query(insertMessages(schema), [
      plainArray(rows.map(({ event }) => event.messageId)),
      plainArray(rows.map(({ event }) => event.conversationId)),
      plainArray(rows.map(({ place }) => place)),
      plainArray(rows.map(({ nth }) => nth)),
      plainArray(rows.map(({ seq }) => seq)),
      textArray(rows.map(({ event }) => event.userId)),
      textArray(rows.map(({ event }) => event.clientMessageId)),
      textArray(rows.map(({ event }) => event.content)),
      textArray(rows.map(({ event }) => event.replyTo)),
      textArray(
        rows.map(({ event }) => (event.attachments.length === 0 ? null : JSON.stringify(event.attachments))),
      ),
      plainArray(rows.map(({ event }) => event.at)),
      plainArray(conversationIds),
    ]);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.constraint === MESSAGES_KEY) return false;
    throw error;
  }
}

async function writeParticipants(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['participants'],
): Promise<void> {
  const added = rows.filter((row) => row.member);
  const removed = rows.filter((row) => !row.member);
  if (added.length > 0) {
    const seqs = added.map((row) => row.seq);
    await client.query(addParticipants(schema), [...userAndConversation(added), seqs]);
  }
  if (removed.length > 0) {
    await client.query(removeParticipants(schema), userAndConversation(removed));
  }
}

function userAndConversation(rows: HistoryChanges['participants']): [string[], string[]] {
  return [rows.map((row) => row.userId), rows.map((row) => row.conversationId)];
}

async function writeEdits(client: ClientBase, schema: string, rows: HistoryChanges['edited']): Promise<void> {
  if (rows.length === 0) return;
  await client.query(editMessages(schema), [
    rows.map(({ event }) => event.messageId),
    rows.map(({ event }) => event.content),
    rows.map(({ event }) => event.at),
    rows.map(({ seq }) => seq),
  ]);
}

async function writeDeletions(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['deleted'],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ event }) => event.messageId);
  await client.query(deleteMessages(schema), [ids, rows.map(({ event }) => event.at)]);
}

/** One by one: they are rare, and each may move the ordinals of those after it. */
async function writeErasures(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['erased'],
): Promise<void> {
  for (const { event, message } of rows) {
    const { messageId, conversationId, at } = event;
    const erased = await client.query(eraseMessage(schema), [messageId, at]);
    if (erased.rowCount === 1) continue;
    await client.query(makeRoom(schema), [conversationId, message.seq]);
    const place = [conversationId, message.seq];
    const facts = [messageId, message.userId, message.replyTo, message.at, at];
    await client.query(insertErased(schema), [...place, ...facts]);
  }
}

async function writeReactions(
  client: ClientBase,
  schema: string,
  rows: HistoryChanges['reactions'],
): Promise<void> {
  if (rows.length === 0) return;
  const removed = rows.filter((row) => row.removed);
  if (removed.length > 0) await client.query(removeReactions(schema), reactionKeys(removed));
  await client.query(addReactions(schema), [...reactionKeys(rows), rows.map(({ seq }) => seq)]);
}

function reactionKeys(rows: HistoryChanges['reactions']): [string[], string[], string[]] {
  return [
    rows.map(({ messageId }) => messageId),
    rows.map(({ emoji }) => emoji),
    rows.map(({ userId }) => userId),
  ];
}
