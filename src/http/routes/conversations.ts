import type { Router } from 'express';
import { archiveConversation } from '../../application/commands/archiveConversation.ts';
import { addParticipants, removeParticipants } from '../../application/commands/changeParticipants.ts';
import type { ChangedConversation } from '../../application/commands/conversationCommand.ts';
import { createConversation } from '../../application/commands/createConversation.ts';
import { renameConversation } from '../../application/commands/renameConversation.ts';
import { toView } from '../../application/reading/viewConversation.ts';
import {
  ChangeConversationBody,
  ConversationPath,
  CreateConversationBody,
  GetConversationQuery,
  ListConversationsQuery,
  ParticipantsBody,
} from '../../contracts/http/requests.ts';
import { decodeCursor } from '../../queries/conversationCursor.ts';
import { listConversations } from '../../queries/listConversations.ts';
import { sendJsonPage } from '../answer/conditional.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readBody } from '../request/body.ts';
import { idempotencyKey } from '../request/idempotencyKey.ts';
import { readQuery } from '../request/query.ts';
import { check, invalid } from '../request/validate.ts';
import { reachPosition } from './position.ts';
import { visibleConversation } from './visibleConversation.ts';

const COLLECTION = '/api/chat/conversations';
const ONE = `${COLLECTION}/:conversationId`;

/** Conversations and who is in them. All but the list comes from the log and works without the database; showing one works without the log. */
export function conversationRoutes(router: Router, deps: HttpDeps): void {
  resource(router, COLLECTION, { get: list(deps), post: create(deps) });
  resource(router, ONE, { get: getOne(deps), patch: change(deps) });
  resource(router, `${ONE}/participants`, {
    post: changeParticipants(deps, addParticipants),
    delete: changeParticipants(deps, removeParticipants),
  });
}

function create({ application }: HttpDeps): Handler {
  return async (req, res) => {
    const body = await readBody(req, CreateConversationBody);
    const field = { path: 'clientConversationId', value: body.clientConversationId };
    const wanted = { ...body, clientConversationId: idempotencyKey(req, field) };
    const { duplicate, ...created } = await createConversation(application, wanted);
    res.status(duplicate ? 200 : 201).location(`${COLLECTION}/${created.conversationId}`);
    res.json({ ...changedView(created), duplicate });
  };
}

/** What is listed is from two read models: whose conversations they are, and what is in them. */
function list(deps: HttpDeps): Handler {
  const { database, inboxProgress, historyProgress } = deps.reading;
  return async (req, res) => {
    const { userId, cursor, limit, position } = readQuery(req, ListConversationsQuery);
    const after = cursor === undefined ? null : decodeCursor(cursor);
    if (cursor !== undefined && after === null) {
      throw invalid([{ path: 'cursor', reason: 'must be a nextCursor as the server gave it' }]);
    }
    if (position !== undefined) await reachPosition(deps, position, [inboxProgress, historyProgress]);
    const page = await listConversations(database, { userId, after, limit });
    const nextCursor = JSON.stringify(page.nextCursor);
    sendJsonPage(res, { json: `{"conversations":${page.conversationsJson},"nextCursor":${nextCursor}}` });
  };
}

function getOne(deps: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId } = readQuery(req, GetConversationQuery);
    const conversation = await visibleConversation(deps, conversationId, userId ?? null);
    sendJsonPage(res, { json: JSON.stringify({ conversation }) });
  };
}

function change({ application }: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId, title, archived } = await readBody(req, ChangeConversationBody);
    const named = { conversationId, userId };
    let changed: ChangedConversation | null = null;
    // Two events, each of which is right by itself; a request that fails in between may simply be repeated.
    if (title !== undefined) changed = await renameConversation(application, { ...named, title });
    if (archived !== undefined) changed = await archiveConversation(application, { ...named, archived });
    if (changed === null) throw new Error('The schema lets no change through that changes nothing');
    res.json(changedView(changed));
  };
}

function changeParticipants({ application }: HttpDeps, command: typeof addParticipants): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const body = await readBody(req, ParticipantsBody);
    res.json(changedView(await command(application, { conversationId, ...body })));
  };
}

function changedView({ conversationId, state, seq, position }: ChangedConversation) {
  return { conversation: toView(conversationId, state), seq, position };
}
