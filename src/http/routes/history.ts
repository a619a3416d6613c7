import type { Router } from 'express';
import { ChatError } from '../../contracts/errors.ts';
import type { LagView } from '../../contracts/http/answers/messages.ts';
import type { MessagesQuestion } from '../../contracts/http/messagesQuestion.ts';
import { ConversationPath, ReadMessagesQuery } from '../../contracts/http/requests.ts';
import { lagOf } from '../../queries/lag.ts';
import { type MessagesPage, readMessages } from '../../queries/readMessages.ts';
import { type JsonPage, sendJsonPage } from '../answer/conditional.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readQuery } from '../request/query.ts';
import { check } from '../request/validate.ts';
import { POSITION_MS_MAX, seqOf } from './position.ts';
import { visibleConversation } from './visibleConversation.ts';

/** A page as it is answered: JSON text of the messages, as Postgres built it or as it was made from the log. */
interface Page {
  readonly messagesJson: string;
  readonly hasMore: boolean;
  readonly source: 'database' | 'log';
  readonly lag: LagView;
}

/**
 * History of a conversation. Who may see it is the log's word; what is in it, the database's, or the log's while the
 * database does not answer or has not come as far as the reader wants.
 */
export function historyRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/conversations/:conversationId/messages', { get: read(deps) });
}

function read(deps: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId, position, ...range } = readQuery(req, ReadMessagesQuery);
    const seq = position === undefined ? 0 : seqOf(position, deps.application.log.epoch);
    await visibleConversation(deps, conversationId, userId ?? null);
    sendJsonPage(res, pageJson(await pageAt(deps, { conversationId, ...range }, seq)));
  };
}

/** @param seq the page must be of a history that is at least here */
async function pageAt(deps: HttpDeps, question: MessagesQuestion, seq: number): Promise<Page> {
  try {
    const page = await readMessages(deps.reading.reads, question);
    if (seq <= (page.checkpoint?.seq ?? 0)) return fromDatabase(page, deps);
    return await pageBehind(deps, question, seq, page);
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    return fromLog(deps, question, seq);
  }
}

/**
 * The history is not there yet. It was read before anything is waited for, because it may be further than the last
 * announcement that arrived.
 *
 * @param page what it has so far: better than nothing, and its lag tells
 */
async function pageBehind(
  deps: HttpDeps,
  question: MessagesQuestion,
  seq: number,
  page: MessagesPage,
): Promise<Page> {
  const arrival = await deps.reading.historyProgress.waitFor(question.conversationId, seq, POSITION_MS_MAX);
  // The primary: a replica has yet to hear of it.
  if (arrival === 'reached') return fromDatabase(await readMessages(deps.reading.database, question), deps);
  return fromLog(deps, question, seq).catch(() => fromDatabase(page, deps));
}

function fromDatabase(page: MessagesPage, { reading: { logHead }, application }: HttpDeps): Page {
  const { messagesJson, hasMore, checkpoint } = page;
  return {
    messagesJson,
    hasMore,
    source: 'database',
    lag: lagOf(checkpoint, logHead, application.clock.nowMs()),
  };
}

/** A client that names a position knows of what is there, and must see it. */
async function fromLog(
  { reading: { logHistory } }: HttpDeps,
  question: MessagesQuestion,
  seq: number,
): Promise<Page> {
  return {
    ...(await logHistory.read(question, { fresh: seq > 0 })),
    source: 'log',
    lag: { events: 0, seconds: 0 },
  };
}

function isDatabaseAway(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'database_unavailable';
}

/** The lag moves by the second: what it is does not make another page of it. */
function pageJson({ messagesJson, hasMore, source, lag }: Page): JsonPage {
  const etagOf = `{"messages":${messagesJson},"hasMore":${hasMore},"source":"${source}"`;
  return { etagOf, json: `${etagOf},"lag":${JSON.stringify(lag)}}` };
}
