import { InvalidArgumentError } from './errors.ts';
import { type HttpCall, request } from './httpRequest.ts';
import type {
  Conversation,
  ConversationPage,
  CreatedConversation,
  HistoryPage,
  PostedMessage,
} from './httpShapes.ts';
import {
  checkClientMessageId,
  checkContent,
  checkConversationId,
  checkMessageId,
  checkUserId,
} from './limits.ts';
import type { SendOptions } from './room.ts';

/** What a {@link ChatHttp} is made with. */
export interface ChatHttpOptions {
  /** The HTTP API, as in `https://chat.example.org`; `/api/chat/…` is added. */
  readonly url: string;
  /** Who this is: 1–128 printable characters. */
  readonly userId: string;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch;
  /** How long a call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a new conversation may have. */
export interface NewConversation {
  readonly participantIds?: readonly string[];
  readonly title?: string;
  /** `members` (default): its participants only. `open`: whoever knows its id. */
  readonly visibility?: 'members' | 'open';
}

/** Which part of the history. */
export interface HistoryRange {
  /** Messages before this sequence, the latest of them. Not together with `after`. */
  readonly before?: number;
  /** Messages after this sequence, the first of them. */
  readonly after?: number;
  /** 1–200. Default 50. */
  readonly limit?: number;
  /** Wait for the database to have come to this position: read your own writes. */
  readonly position?: string;
}

/**
 * The HTTP API, for what is not realtime. Every call throws `ChatProblem` for what the server refuses, `HttpTimeoutError`,
 * `HttpUnreachableError` and `UnexpectedAnswerError`; nothing is repeated by itself.
 */
export class ChatHttp {
  readonly #url: string;
  readonly #userId: string;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  /** @throws InvalidArgumentError for options that cannot be right */
  constructor({ url, userId, fetch: fetchIt, timeoutMs = 10_000 }: ChatHttpOptions) {
    checkUserId(userId);
    if (!URL.canParse(url)) throw new InvalidArgumentError('url', 'must be as in "https://chat.example.org"');
    this.#url = `${url.replace(/\/+$/, '')}/api/chat`;
    this.#userId = userId;
    // Browsers' fetch must be called on its own window.
    this.#fetch = fetchIt ?? ((...args) => fetch(...args));
    this.#timeoutMs = timeoutMs;
  }

  /** Makes a conversation in which this user takes part. */
  async createConversation(
    conversation: NewConversation = {},
    options?: CallOptions,
  ): Promise<CreatedConversation> {
    const body = { userId: this.#userId, ...conversation };
    return (await this.#call('POST', '/conversations', { body, ...options })) as CreatedConversation;
  }

  /** One conversation; `not_found` also when it is not open to this user. */
  async getConversation(conversationId: string, options?: CallOptions): Promise<Conversation> {
    checkConversationId(conversationId);
    const path = `/conversations/${conversationId}${query({ userId: this.#userId })}`;
    const answer = (await this.#call('GET', path, options)) as { conversation: Conversation };
    return answer.conversation;
  }

  /** This user's conversations, latest activity first. Hand `nextCursor` back for the next page. */
  async listConversations(
    page: { readonly cursor?: string; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<ConversationPage> {
    const path = `/conversations${query({ userId: this.#userId, ...page })}`;
    return (await this.#call('GET', path, options)) as ConversationPage;
  }

  /** A page of a conversation's messages, oldest first; without a range the latest. */
  async history(
    conversationId: string,
    range: HistoryRange = {},
    options?: CallOptions,
  ): Promise<HistoryPage> {
    checkConversationId(conversationId);
    const path = `/conversations/${conversationId}/messages${query({ userId: this.#userId, ...range })}`;
    return (await this.#call('GET', path, options)) as HistoryPage;
  }

  /**
   * Sends one message, once. To send again after an error that says so, call it with the same `clientMessageId`; without
   * one, a new one is made for every call. A `ChatClient` repeats by itself.
   */
  async send(
    conversationId: string,
    content: string,
    message: SendOptions = {},
    options?: CallOptions,
  ): Promise<PostedMessage> {
    checkConversationId(conversationId);
    checkContent(content);
    const clientMessageId = message.clientMessageId ?? crypto.randomUUID();
    checkClientMessageId(clientMessageId);
    if (message.replyTo !== undefined) checkMessageId('replyTo', message.replyTo);
    const { level, ...rest } = message;
    const body = { conversationId, userId: this.#userId, content, ...rest, clientMessageId };
    const headers: Record<string, string> = level === 'durable' ? { Prefer: 'wait=durable' } : {};
    return (await this.#call('POST', '/messages', { body, headers, ...options })) as PostedMessage;
  }

  #call(
    method: HttpCall['method'],
    path: string,
    more: Pick<HttpCall, 'body' | 'headers' | 'signal'> = {},
  ): Promise<unknown> {
    return request(this.#fetch, { method, url: this.#url + path, timeoutMs: this.#timeoutMs, ...more });
  }
}

function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `?${search}`;
}
