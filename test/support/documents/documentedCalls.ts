import type { TestApi } from '../http/httpApi.ts';
import { field, file, MULTIPART, multipart, type Part, PNG } from '../http/multipart.ts';
import type { RawRequest } from '../http/rawCall.ts';

const API = '/api/chat';
const NOWHERE = 'x'.repeat(21);

/** A call of an operation, with a body of JSON, a form, or none. */
export interface Call {
  readonly path: string;
  readonly body?: Record<string, unknown>;
  readonly form?: readonly Part[];
  readonly headers?: Record<string, string>;
}

/** As it is sent. */
export function requestOf(method: string, { path, body, form, headers = {} }: Call): RawRequest {
  const request = { method: method.toUpperCase(), path };
  if (form !== undefined)
    return { ...request, headers: { ...MULTIPART, ...headers }, body: new Uint8Array(multipart(...form)) };
  if (body === undefined) return { ...request, headers };
  const json = { 'Content-Type': 'application/json', ...headers };
  return { ...request, headers: json, body: JSON.stringify(body) };
}

/** What makes each operation answer with a success, on a conversation and a message that are there. */
export async function goodCalls(to: TestApi, more: object = {}): Promise<Record<string, Call>> {
  const made = { userId: 'alice', visibility: 'open', participantIds: ['bob'], ...more };
  const created = (await to.call('POST', `${API}/conversations`, made)).body;
  const conversationId: string = created.conversation.id;
  const named = { conversationId, userId: 'alice' };
  const posted = (await to.call('POST', `${API}/messages`, { ...named, content: 'hello' })).body;
  const conversation = `${API}/conversations/${conversationId}`;
  const message = `${API}/messages/${posted.message.messageId}`;
  const { seq } = posted;
  const form = [field('conversationId', conversationId), field('userId', 'alice'), file(PNG, 'one.png')];
  const sent = requestOf('POST', { path: `${API}/uploads`, form });
  const uploaded = (await to.call('POST', sent.path, sent.body, sent.headers)).body;
  return {
    createConversation: { path: `${API}/conversations`, body: { userId: 'alice', title: 'hello' } },
    listConversations: { path: `${API}/conversations?userId=alice&limit=1` },
    getConversation: { path: `${conversation}?userId=alice` },
    changeConversation: { path: conversation, body: { userId: 'alice', title: `${seq}` } },
    addParticipants: {
      path: `${conversation}/participants`,
      body: { userId: 'alice', participantIds: ['carol'] },
    },
    removeParticipants: {
      path: `${conversation}/participants`,
      body: { userId: 'alice', participantIds: ['bob'] },
    },
    postMessage: { path: `${API}/messages`, body: { ...named, content: 'hi', clientMessageId: 'k1' } },
    editMessage: { path: message, body: { ...named, content: 'hello again', seq } },
    deleteMessage: { path: message, body: { ...named, seq } },
    addReaction: { path: `${message}/reactions/%F0%9F%91%8D`, body: named },
    removeReaction: { path: `${message}/reactions/%F0%9F%91%8D`, body: named },
    readMessages: { path: `${conversation}/messages?userId=alice` },
    searchMessages: { path: `${API}/search?userId=alice&q=hello&conversationId=${conversationId}` },
    listenToConversation: { path: `${conversation}/events?userId=alice&after=0` },
    readPresence: { path: `${API}/presence?userIds=alice,bob` },
    markRead: { path: `${conversation}/read`, body: { userId: 'alice', seq } },
    uploadFile: { path: `${API}/uploads`, form },
    readUpload: { path: `${API}/uploads/${uploaded.attachment.id}?userId=alice` },
    checkProcess: { path: '/health' },
    checkLive: { path: '/health/live' },
    checkReady: { path: '/health/ready' },
    checkDatabase: { path: '/health/database' },
    checkStream: { path: '/health/stream' },
    checkProjections: { path: '/health/projections' },
    readMetrics: { path: '/metrics' },
    readDocs: { path: '/docs' },
    readDocsAsset: { path: '/docs/page.js' },
    readOpenApi: { path: '/docs/openapi.json' },
    readAsyncApi: { path: '/docs/asyncapi.json' },
  };
}

/** The same call about a conversation, or an upload, that is not there. */
export function elsewhere({ path, body, form, headers }: Call): Call {
  const moved = path.replace(/\b([cu])_[A-Za-z0-9_-]{21}/, `$1_${NOWHERE}`);
  const conversationId = `c_${NOWHERE}`;
  const away = body && 'conversationId' in body ? { ...body, conversationId } : body;
  const [, ...rest] = form ?? [];
  return {
    path: moved,
    ...(away && { body: away }),
    ...(form && { form: [field('conversationId', conversationId), ...rest] }),
    ...(headers && { headers }),
  };
}

export function withQuery(good: Call, query: string): Call {
  return { ...good, path: `${good.path}${good.path.includes('?') ? '&' : '?'}${query}` };
}
