import type { Request, Router } from 'express';
import { changeReaction } from '../../application/commands/changeReaction.ts';
import { deleteMessage } from '../../application/commands/deleteMessage.ts';
import { editMessage } from '../../application/commands/editMessage.ts';
import { postMessage } from '../../application/commands/postMessage.ts';
import { ackLevel } from '../../application/receipts/ackLevel.ts';
import type { MessageView } from '../../contracts/http/answers/messages.ts';
import {
  AddReactionPath,
  DeleteMessageBody,
  DeleteMessageQuery,
  EditMessageBody,
  MessagePath,
  PostMessageBody,
  ReactionBody,
  RemoveReactionPath,
} from '../../contracts/http/requests.ts';
import type { MessagePosted } from '../../domain/conversation/events.ts';
import { type Handler, resource, sendAnswer } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readBody, readBodyBesideQuery } from '../request/body.ts';
import { queryFields } from '../request/query.ts';
import { check } from '../request/validate.ts';

/** Posting, changing and reacting to messages: the log alone, never the database. */
export function messageRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/messages', { post: post(deps) });
  resource(router, '/api/chat/messages/:messageId', { patch: edit(deps), delete: remove(deps) });
  const reactions = { put: react(deps, true), delete: react(deps, false) };
  resource(router, '/api/chat/messages/:messageId/reactions/:emoji', reactions);
}

function post({ application, reading: { historyProgress } }: HttpDeps): Handler {
  return async (req, res) => {
    const posted = await postMessage(application, await readBody(req, PostMessageBody));
    const { seq, position, duplicate, event } = posted;
    const message = toView(event, seq);
    const { conversationId } = event;
    const level = prefersDurable(req) ? await ackLevel(historyProgress, { conversationId, seq }) : 'accepted';
    if (level === 'durable') res.set('Preference-Applied', DURABLE);
    sendAnswer(res, duplicate ? 200 : 201, { message, seq, position, level, duplicate });
  };
}

/** What a client that wants the answer after the commit says in `Prefer` (RFC 7240). */
const DURABLE = 'wait=durable';

/** Preferences that are not known are ignored, as the RFC wants it. */
function prefersDurable(req: Request): boolean {
  const preferences = req.get('Prefer')?.toLowerCase().split(/[,;]/) ?? [];
  return preferences.some((preference) => preference.replaceAll(/[\s"]/g, '') === DURABLE);
}

function edit({ application }: HttpDeps): Handler {
  return async (req, res) => {
    const { messageId } = check(MessagePath, req.params);
    const body = await readBody(req, EditMessageBody);
    const { at, ...changed } = await editMessage(application, { messageId, ...body });
    res.json({ ...changed, editedAt: at });
  };
}

function remove({ application }: HttpDeps): Handler {
  return async (req, res) => {
    const { messageId } = check(MessagePath, req.params);
    const { erase } = check(DeleteMessageQuery, queryFields(req));
    const body = await readBodyBesideQuery(req, DeleteMessageBody);
    const { at, erased, ...changed } = await deleteMessage(application, { messageId, erase, ...body });
    res.json({ ...changed, deletedAt: at, ...(erase && { erased }) });
  };
}

function react({ application }: HttpDeps, add: boolean): Handler {
  return async (req, res) => {
    const { messageId, emoji } = check(add ? AddReactionPath : RemoveReactionPath, req.params);
    const body = await readBody(req, ReactionBody);
    const { at, ...changed } = await changeReaction(application, { messageId, emoji, add, ...body });
    res.json({ ...changed, emoji, at });
  };
}

/** A message as history will show it. */
function toView(event: MessagePosted, seq: number): MessageView {
  const { messageId, userId, content, replyTo, attachments, at } = event;
  const fresh = { reactions: {}, editedAt: null, deletedAt: null };
  return { messageId, seq, userId, content, replyTo, attachments, ...fresh, at };
}
