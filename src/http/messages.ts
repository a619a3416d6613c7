import type { Router } from 'express';
import { deleteMessage } from '../application/deleteMessage.ts';
import { editMessage } from '../application/editMessage.ts';
import { postMessage, storedMessage } from '../application/postMessage.ts';
import {
  DeleteMessageBody,
  EditMessageBody,
  MessagePath,
  type MessageView,
  PostMessageBody,
} from '../contracts/http.ts';
import type { MessagePosted } from '../domain/conversation/events.ts';
import { readBody } from './body.ts';
import type { HttpDeps } from './deps.ts';
import { type Handler, resource } from './resource.ts';
import { check } from './validate.ts';

/** Posting, editing and deleting messages: the log alone, never the database. */
export function messageRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/messages', { post: post(deps) });
  resource(router, '/api/chat/messages/:messageId', { patch: edit(deps), delete: remove(deps) });
}

function post({ application }: HttpDeps): Handler {
  return async (req, res) => {
    const posted = await postMessage(application, await readBody(req, PostMessageBody));
    const { seq, position, duplicate } = posted;
    const message = toView(await storedMessage(application, posted), seq);
    res.status(duplicate ? 200 : 201).json({ message, seq, position, level: 'accepted', duplicate });
  };
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
    const body = await readBody(req, DeleteMessageBody);
    const { at, ...changed } = await deleteMessage(application, { messageId, ...body });
    res.json({ ...changed, deletedAt: at });
  };
}

/** A message as history will show it. */
function toView(event: MessagePosted, seq: number): MessageView {
  const { messageId, userId, content, replyTo, attachments, at } = event;
  const fresh = { reactions: {}, editedAt: null, deletedAt: null };
  return { messageId, seq, userId, content, replyTo, attachments, ...fresh, at };
}
